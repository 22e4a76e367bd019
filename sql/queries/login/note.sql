-- grain:  inserts one event
-- params: event, name, subject, code, address, request_id
INSERT INTO access_event (event, name, subject, code, address, request_id)
VALUES (:event, :name, :subject, :code, :address, :request_id)

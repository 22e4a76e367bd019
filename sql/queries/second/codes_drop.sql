-- grain:  deletes the recovery codes of a user
-- params: name
DELETE FROM recovery_code WHERE name = :name

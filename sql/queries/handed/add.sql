-- grain:  inserts one file that was handed in and checked; its id
-- params: name, file_name, size_bytes, provider, service_month, outcome (JSON)
INSERT INTO waiting_file (name, file_name, size_bytes, provider_uscc, service_month, outcome)
VALUES (:name, :file_name, CAST(:size_bytes AS bigint), :provider, :service_month, CAST(:outcome AS jsonb))
RETURNING handed_id

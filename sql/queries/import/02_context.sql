-- grain:  temporary table context, one row per upload of this transaction
-- params: none
CREATE TEMPORARY TABLE context (
    upload_id bigint NOT NULL, provider_uscc text COLLATE "C" NOT NULL, service_month text NOT NULL,
    received_on date NOT NULL, service_span daterange, evidence text NOT NULL, sha256 bytea, sm3 bytea,
    size_bytes bigint, file_name text, format text, header text, pack text, notes jsonb
) ON COMMIT DROP

-- grain:  inserts the context of each upload
-- params: provider, service_month (may be empty), received_on, service_from (or null), service_until (exclusive),
--         uploads (jsonb: upload_id, evidence, sha256 and sm3 in hex, size_bytes, file_name, format, header,
--         pack, notes)
INSERT INTO context (
    upload_id, provider_uscc, service_month, received_on, service_span, evidence, sha256, sm3, size_bytes, file_name,
    format, header, pack, notes
)
SELECT
    u.upload_id, :provider, :service_month, CAST(:received_on AS date),
    CASE WHEN CAST(:service_from AS date) IS NOT NULL
        THEN daterange(CAST(:service_from AS date), CAST(:service_until AS date)) END,
    u.evidence, decode(u.sha256, 'hex'), decode(u.sm3, 'hex'), u.size_bytes, u.file_name, u.format, u.header,
    u.pack, u.notes
FROM jsonb_to_recordset(CAST(:uploads AS jsonb)) AS u (
    upload_id bigint, evidence text, sha256 text, sm3 text, size_bytes bigint, file_name text, format text,
    header text, pack text, notes jsonb
)

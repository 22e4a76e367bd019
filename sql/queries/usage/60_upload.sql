-- grain:  inserts one upload of usage with its counts of lines
-- params: upload_id, sha256 (hex), file_name, format, provider, received_on, header (cells joined by the unit
--         separator), rows, rejected
INSERT INTO upload (
    upload_id, sha256, file_name, format, holds, provider_uscc, received_on, header, rows, accepted, duplicate,
    conflict, rejected, held
)
SELECT
    CAST(:upload_id AS bigint), decode(:sha256, 'hex'), :file_name, :format, 'usage', :provider, :received_on, :header,
    CAST(:rows AS bigint),
    coalesce(sum(t.lines) FILTER (WHERE t.invoice_id IS NOT NULL), 0), 0, 0, CAST(:rejected AS bigint),
    coalesce(sum(t.lines) FILTER (WHERE t.invoice_id IS NULL), 0)
FROM told AS t

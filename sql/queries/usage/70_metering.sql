-- grain:  inserts one row per accepted invoice of a file of usage
-- params: upload_id, basis, replaces
INSERT INTO metering (company_id, invoice_id, upload_id, basis, replaces, lines, metered_yuan, act_id)
SELECT
    t.company_id, t.invoice_id, CAST(:upload_id AS bigint), :basis, CAST(:replaces AS boolean), t.lines,
    t.metered_yuan, CAST(:upload_id AS bigint)
FROM told AS t
WHERE t.invoice_id IS NOT NULL

-- grain:  inserts one row per accepted invoice, day and unit of a file of usage
-- params: upload_id
INSERT INTO usage_day (company_id, invoice_id, upload_id, used_on, unit, quantity, metered_yuan, lines, act_id)
SELECT
    t.company_id, t.invoice_id, CAST(:upload_id AS bigint), u.used_on, u.unit, u.quantity, u.metered_yuan, u.lines,
    CAST(:upload_id AS bigint)
FROM used AS u
INNER JOIN told AS t ON t.number = u.number
WHERE t.invoice_id IS NOT NULL

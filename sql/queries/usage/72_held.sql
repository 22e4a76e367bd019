-- grain:  inserts one row per invoice number that is not there yet, day and unit of a file of usage
-- params: upload_id, basis, replaces
INSERT INTO held_usage (
    upload_id, invoice_number, used_on, unit, quantity, metered_yuan, lines, basis, replaces
)
SELECT
    CAST(:upload_id AS bigint), u.number, u.used_on, u.unit, u.quantity, u.metered_yuan, u.lines, :basis,
    CAST(:replaces AS boolean)
FROM used AS u
INNER JOIN told AS t ON t.number = u.number
WHERE t.invoice_id IS NULL

-- grain:  inserts one row per invoice, day and unit of usage that waited for the invoice
-- params: none (reads context)
INSERT INTO usage_day (company_id, invoice_id, upload_id, used_on, unit, quantity, metered_yuan, lines, act_id)
SELECT
    m.company_id, m.invoice_id, m.upload_id, h.used_on, h.unit, h.quantity, h.metered_yuan, h.lines,
    m.act_id
FROM metering AS m
INNER JOIN context AS x ON x.upload_id = m.act_id
INNER JOIN invoice AS i ON i.company_id = m.company_id AND i.invoice_id = m.invoice_id
INNER JOIN held_usage AS h ON h.upload_id = m.upload_id AND h.invoice_number = i.number

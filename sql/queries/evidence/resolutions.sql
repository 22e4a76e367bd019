-- grain:  one row per approved resolution of an invoice, oldest first
-- params: number
SELECT encode(u.sha256, 'hex') AS sha256, coalesce(r.kind, i.evidence) AS kind, r.why, a.actor, s.no AS act_no
FROM invoice_number AS n
INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
INNER JOIN resolution AS r ON r.company_id = i.company_id AND r.invoice_id = i.invoice_id
INNER JOIN upload AS u ON u.upload_id = r.upload_id
INNER JOIN act AS a ON a.act_id = r.act_id
INNER JOIN seal AS s ON s.act_id = r.act_id
WHERE n.number = :number
ORDER BY s.no

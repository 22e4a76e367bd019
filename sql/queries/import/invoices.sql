-- grain:  one row per invoice number of an upload: accepted ones by acceptance number, then the others
-- params: upload_id
SELECT i.number, 'accepted' AS status, s.accepted_before + i.place AS accepted_no
FROM invoice AS i
INNER JOIN seal AS s ON s.act_id = i.act_id
WHERE i.act_id = CAST(:upload_id AS bigint)
UNION ALL
SELECT r.invoice_number, r.outcome, NULL
FROM upload_row AS r
WHERE r.upload_id = CAST(:upload_id AS bigint) AND r.invoice_number <> ''
GROUP BY r.invoice_number, r.outcome
ORDER BY accepted_no NULLS LAST, number

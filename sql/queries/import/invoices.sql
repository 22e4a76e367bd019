-- grain:  one row per invoice number of each upload: accepted ones by acceptance number, then the others
-- params: upload_ids (bigint[])
SELECT i.act_id AS upload_id, i.number, 'accepted' AS status, s.accepted_before + i.place AS accepted_no
FROM invoice AS i
INNER JOIN seal AS s ON s.act_id = i.act_id
WHERE i.act_id = ANY(CAST(:upload_ids AS bigint[]))
UNION ALL
SELECT r.upload_id, r.invoice_number, r.outcome, NULL
FROM upload_row AS r
WHERE r.upload_id = ANY(CAST(:upload_ids AS bigint[])) AND r.invoice_number <> ''
GROUP BY r.upload_id, r.invoice_number, r.outcome
UNION ALL
SELECT m.upload_id, i.number, 'accepted', NULL
FROM metering AS m
INNER JOIN invoice AS i ON i.company_id = m.company_id AND i.invoice_id = m.invoice_id
WHERE m.upload_id = ANY(CAST(:upload_ids AS bigint[])) AND m.act_id = m.upload_id
UNION ALL
SELECT h.upload_id, h.invoice_number, 'held', NULL
FROM held_usage AS h
WHERE h.upload_id = ANY(CAST(:upload_ids AS bigint[]))
GROUP BY h.upload_id, h.invoice_number
ORDER BY upload_id, accepted_no NULLS LAST, number

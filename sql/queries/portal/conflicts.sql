-- grain:  one row per invoice number with a document in conflict that nobody has decided about since, oldest first
-- params: rows (how many; null for all), skip, cutoff (seal number: as it stood then; null for now)
SELECT
    h.invoice_number, count(*) AS rows, min(s.recorded_at) AS since, max(u.file_name) AS file_name,
    (SELECT p.uscc FROM party AS p WHERE p.party_id = i.provider_id) AS provider, m.gross_fen
FROM held_row AS h
INNER JOIN upload AS u ON u.upload_id = h.upload_id
INNER JOIN seal AS s ON s.act_id = h.upload_id AND s.no <= coalesce(CAST(:cutoff AS bigint), 9223372036854775807)
LEFT JOIN invoice_number AS n ON n.number = h.invoice_number
LEFT JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
LEFT JOIN invoice_money AS m ON m.company_id = n.company_id AND m.invoice_id = n.invoice_id
WHERE
    h.waits_for = 'resolution'
    AND NOT EXISTS (
        SELECT FROM resolution AS d
        INNER JOIN seal AS z ON z.act_id = d.act_id AND z.no <= coalesce(CAST(:cutoff AS bigint), 9223372036854775807)
        WHERE d.company_id = n.company_id AND d.invoice_id = n.invoice_id AND z.no > s.no
    )
GROUP BY h.invoice_number, i.provider_id, m.gross_fen
ORDER BY min(s.recorded_at), h.invoice_number
LIMIT CAST(:rows AS bigint)
OFFSET CAST(:skip AS bigint)

-- grain:  one row per company and cap year of a run, as it is disclosed: names only, no account or id numbers
-- params: run_id, cutoff (seal number: names as they were known then)
SELECT
    coalesce(n.name, '（未登记名称）') AS company_name, l.cap_year, count(DISTINCT l.invoice_id) AS invoices,
    CAST(coalesce(sum(l.basis_fen) FILTER (WHERE l.kind = 'grant'), 0) AS bigint) AS basis_fen,
    CAST(sum(l.granted_fen) AS bigint) AS granted_fen
FROM run AS r
INNER JOIN run_line AS l ON l.run_id = r.run_id
LEFT JOIN party_name_at(CAST(:cutoff AS bigint)) AS n ON n.party_id = l.company_id
WHERE r.run_id = CAST(:run_id AS bigint) AND l.granted_fen <> 0
GROUP BY l.company_id, n.name, l.cap_year
ORDER BY n.name COLLATE "C", l.company_id, l.cap_year

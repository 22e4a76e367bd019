-- grain:  one row per company of a list: its code and its name as known at the cutoff
-- params: ids (bigint[]), cutoff (seal number)
SELECT p.party_id AS company_id, p.uscc AS company, coalesce(n.name, '') AS name
FROM party AS p
LEFT JOIN party_name_at(CAST(:cutoff AS bigint)) AS n ON n.party_id = p.party_id
WHERE p.party_id = ANY(CAST(:ids AS bigint[]))
ORDER BY p.uscc COLLATE "C"

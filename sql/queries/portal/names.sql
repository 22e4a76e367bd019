-- grain:  one row per party of these codes that has a name
-- params: codes (USCCs)
SELECT p.uscc AS code, n.name
FROM party AS p
CROSS JOIN LATERAL (
    SELECT x.name
    FROM party_name AS x
    INNER JOIN seal AS s ON s.act_id = x.act_id
    WHERE x.party_id = p.party_id
    ORDER BY s.no DESC, x.row_no DESC
    LIMIT 1
) AS n
WHERE p.uscc = ANY(CAST(:codes AS text[]))

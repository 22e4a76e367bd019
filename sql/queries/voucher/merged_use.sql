-- grain:  one row per programme and cap year in which a company, or one merged into it by then, was granted anything
-- params: company (USCC), own (boolean: what the company itself was granted counts too)
WITH RECURSIVE merged AS (
    SELECT p.party_id AS company_id, 0 AS closed_from, CAST(:own AS boolean) AS counts
    FROM party AS p
    WHERE p.uscc = :company
    UNION
    SELECT g.absorbed_id, greatest(m.closed_from, CAST(extract(YEAR FROM g.merged_on) AS integer)), TRUE
    FROM merged AS m
    INNER JOIN merger AS g ON g.survivor_id = m.company_id
)

SELECT a.programme_id, a.year, CAST(sum(a.balance_fen) AS bigint) AS used_fen
FROM merged AS m
INNER JOIN account AS a ON a.company_id = m.company_id AND a.kind = 'redeemed' AND a.year >= m.closed_from
WHERE m.counts
GROUP BY a.programme_id, a.year
HAVING sum(a.balance_fen) > 0
ORDER BY a.programme_id, a.year

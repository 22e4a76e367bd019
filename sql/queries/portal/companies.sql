-- grain:  one row per company in the registry, by code; of its account only the last four digits
-- params: find (beginning of its code or part of its name, null for all), rows, skip
SELECT
    p.uscc AS company, n.name,
    string_agg(DISTINCT coalesce(w.word, q.category), '、') FILTER (WHERE NOT isempty(q.span)) AS categories,
    min(lower(q.span)) AS from_on,
    max(upper(q.span) - 1) AS until_on,
    (
        SELECT b.bank || ' 尾号' || b.account_last4
        FROM bank_account AS b
        INNER JOIN seal AS s ON s.act_id = b.act_id
        WHERE b.company_id = p.party_id
        ORDER BY s.no DESC, b.row_no DESC
        LIMIT 1
    ) AS account
FROM qualification_at(9223372036854775807) AS q
INNER JOIN party AS p ON p.party_id = q.company_id
LEFT JOIN party_name_at(9223372036854775807) AS n ON n.party_id = q.company_id
LEFT JOIN (
    SELECT DISTINCT c.key AS code, c.value AS word
    FROM policy AS y
    CROSS JOIN LATERAL jsonb_each_text(y.parameters -> 'categories') AS c
) AS w ON w.code = q.category
WHERE
    CAST(:find AS text) IS NULL OR starts_with(p.uscc, CAST(:find AS text))
    OR strpos(n.name, CAST(:find AS text)) > 0
GROUP BY p.party_id, p.uscc, n.name
ORDER BY p.uscc
LIMIT CAST(:rows AS bigint)
OFFSET CAST(:skip AS bigint)

-- check:  an account belongs to the programme, company and year that its name says
-- title:  账户归属与名称一致
-- grain:  one row per account that differs; no rows means all is well
-- params: none
-- source: DESIGN 5, the table of books
WITH named AS (
    SELECT
        a.account_id, a.name, a.kind, a.programme_id, a.company_id, a.year,
        CASE
            WHEN a.name LIKE 'limit:authority:%' THEN ARRAY[split_part(a.name, ':', 3), '', split_part(a.name, ':', 4)]
            WHEN a.name LIKE 'limit:%'
                THEN ARRAY[split_part(a.name, ':', 3), split_part(a.name, ':', 4), split_part(a.name, ':', 5)]
            WHEN a.kind IN ('treasury', 'appropriation', 'returned') THEN ARRAY['', '', split_part(a.name, ':', 3)]
            ELSE ARRAY['', split_part(a.name, ':', 3), '']
        END AS told
    FROM account AS a
)

SELECT
    CAST(NULL AS bigint) AS act_no, n.name AS subject,
    format(
        '账户记在事项“%s”、企业“%s”、年度“%s”名下，与名称不符。',
        n.programme_id, coalesce(p.uscc, nullif(n.company_id, 0) || ''), n.year
    ) AS detail
FROM named AS n
LEFT JOIN party AS p ON p.party_id = n.company_id
WHERE
    ARRAY[coalesce(n.programme_id, ''), coalesce(p.uscc, nullif(n.company_id, 0) || '', ''), coalesce(n.year || '', '')]
    IS DISTINCT FROM n.told
ORDER BY n.name

-- grain:  one row per company qualified on a covered day of the year and not merged into another by then,
--         with whether it has the year's voucher
-- params: cutoff (seal number), programme_id, year, documents (jsonb: from_on, until_on exclusive, categories),
--         company (USCC, empty for all)
WITH document AS (
    SELECT daterange(d.from_on, d.until_on) * daterange(make_date(y.year, 1, 1), make_date(y.year + 1, 1, 1)) AS span,
        d.categories
    FROM jsonb_to_recordset(CAST(:documents AS jsonb)) AS d (from_on date, until_on date, categories text[])
    CROSS JOIN (SELECT CAST(:year AS integer) AS year) AS y
),

qualified AS (
    SELECT DISTINCT q.company_id
    FROM qualification_at(CAST(:cutoff AS bigint)) AS q
    INNER JOIN document AS d ON d.span && q.span AND q.category = ANY(d.categories)
)

SELECT c.uscc AS company, v.voucher_id IS NOT NULL AS has_voucher
FROM qualified AS q
INNER JOIN party AS c ON c.party_id = q.company_id
LEFT JOIN voucher AS v
    ON v.programme_id = :programme_id AND v.company_id = c.party_id AND v.cap_year = CAST(:year AS integer)
LEFT JOIN merger AS g ON g.absorbed_id = c.party_id
WHERE
    (:company = '' OR c.uscc = :company)
    AND coalesce(extract(YEAR FROM g.merged_on) > CAST(:year AS integer), TRUE)
ORDER BY c.uscc COLLATE "C"

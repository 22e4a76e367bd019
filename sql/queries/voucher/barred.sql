-- grain:  one row per company of a list that has no voucher of a year coming: it is qualified on no day of the year as
--         known now, or was merged into another by then
-- params: companies (text[], USCC), year
SELECT c.uscc AS company
FROM party AS c
LEFT JOIN merger AS g ON g.absorbed_id = c.party_id
WHERE
    c.uscc = ANY(CAST(:companies AS text[]))
    AND (
        extract(YEAR FROM g.merged_on) <= CAST(:year AS integer)
        OR NOT EXISTS (
            SELECT FROM qualification_at(9223372036854775807) AS q
            WHERE
                q.company_id = c.party_id
                AND q.span && daterange(
                    make_date(CAST(:year AS integer), 1, 1), make_date(CAST(:year AS integer) + 1, 1, 1)
                )
        )
    )
ORDER BY c.uscc COLLATE "C"

-- grain:  one row: what a run's recoveries take in all, and what of it returns to the appropriation of a fiscal year
-- params: fiscal_year (reads taken)
SELECT
    CAST(coalesce(sum(t.taken_fen), 0) AS bigint) AS taken_fen,
    CAST(coalesce(sum(t.taken_fen) FILTER (
        WHERE t.credit_kind = 'appropriation' AND t.fiscal_year = CAST(:fiscal_year AS integer)
    ), 0) AS bigint) AS returning_fen
FROM taken AS t

-- grain:  one row per way in which lines and payments were matched
-- params: tolerance_fen, days, cutoff (seal number)
SELECT m.way, count(*) AS matches, count(DISTINCT concat_ws(':', m.statement_id, m.row_no)) AS lines
FROM bank_match_at(CAST(:cutoff AS bigint), CAST(:tolerance_fen AS bigint), CAST(:days AS integer)) AS m
GROUP BY m.way
ORDER BY m.way

-- grain:  one row per way in which lines and payments were matched
-- params: tolerance_fen, days
SELECT m.way, count(*) AS matches, count(DISTINCT concat_ws(':', m.statement_id, m.row_no)) AS lines
FROM bank_match_at(9223372036854775807, CAST(:tolerance_fen AS bigint), CAST(:days AS integer)) AS m
GROUP BY m.way
ORDER BY m.way

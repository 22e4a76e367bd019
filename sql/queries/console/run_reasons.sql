-- grain:  one row per reason code of a run's lines, draft or submitted, with how many lines and the sums in fen
-- params: run_id
WITH line AS (
    SELECT l.reasons FROM draft_line AS l WHERE l.run_id = CAST(:run_id AS bigint)
    UNION ALL
    SELECT l.reasons FROM run_line AS l WHERE l.run_id = CAST(:run_id AS bigint)
)

SELECT
    r.code, count(*) AS lines, CAST(sum(r.amount_fen) AS bigint) AS amount_fen,
    CAST(sum(r.other_fen) AS bigint) AS other_fen
FROM line AS l
CROSS JOIN LATERAL jsonb_to_recordset(l.reasons) AS r (code text, amount_fen bigint, other_fen bigint)
GROUP BY r.code
ORDER BY amount_fen DESC, r.code

-- grain:  one row per kind of line of a run, draft or submitted, with its sums in fen
-- params: run_id
WITH line AS (
    SELECT l.kind, l.basis_fen, l.computed_fen, l.granted_fen, l.withheld_fen
    FROM draft_line AS l
    WHERE l.run_id = CAST(:run_id AS bigint)
    UNION ALL
    SELECT l.kind, l.basis_fen, l.computed_fen, l.granted_fen, l.withheld_fen
    FROM run_line AS l
    WHERE l.run_id = CAST(:run_id AS bigint)
)

SELECT
    l.kind, count(*) AS lines, CAST(sum(l.basis_fen) AS bigint) AS basis_fen,
    CAST(sum(l.computed_fen) AS bigint) AS computed_fen, CAST(sum(l.granted_fen) AS bigint) AS granted_fen,
    CAST(sum(l.withheld_fen) AS bigint) AS withheld_fen
FROM line AS l
GROUP BY l.kind
ORDER BY array_position(ARRAY['recovery', 'backfill', 'grant'], l.kind)

-- grain:  one row: the sums of a run's lines, in fen (recovered is positive; withheld counts grant lines only)
-- params: run_id
SELECT
    CAST(coalesce(sum(l.granted_fen) FILTER (WHERE l.kind <> 'recovery'), 0) AS bigint) AS granted,
    CAST(coalesce(sum(l.withheld_fen) FILTER (WHERE l.kind = 'grant'), 0) AS bigint) AS withheld,
    CAST(coalesce(-sum(l.granted_fen) FILTER (WHERE l.kind = 'recovery'), 0) AS bigint) AS recovered
FROM draft_line AS l
WHERE l.run_id = CAST(:run_id AS bigint)

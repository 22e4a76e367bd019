-- grain:  updates the grant and backfill lines of a draft to their share of what is available
-- params: run_id, available_fen (above zero, less than the lines need)
-- source: DESIGN 6.8, floor(line·available/needed), then the remaining fen one each by acceptance number among the
--         lines that were cut
WITH taker AS (
    SELECT
        l.company_id, l.line_no, l.granted_fen, l.accepted_no, l.cap_year,
        CAST(div(CAST(l.granted_fen AS numeric) * CAST(:available_fen AS bigint), sum(l.granted_fen) OVER ()) AS bigint)
            AS share_fen
    FROM draft_line AS l
    WHERE l.run_id = CAST(:run_id AS bigint) AND l.kind <> 'recovery'
),

placed AS (
    SELECT
        t.company_id, t.line_no, t.share_fen,
        CAST(:available_fen AS bigint) - sum(t.share_fen) OVER () AS left_fen, t.share_fen < t.granted_fen AS was_cut,
        count(*) FILTER (WHERE t.share_fen < t.granted_fen) OVER (
            ORDER BY t.accepted_no, t.cap_year ROWS UNBOUNDED PRECEDING
        ) AS place
    FROM taker AS t
),

given AS (
    SELECT
        p.company_id, p.line_no, p.share_fen + CASE WHEN p.was_cut AND p.place <= p.left_fen THEN 1 ELSE 0 END AS fen
    FROM placed AS p
)

UPDATE draft_line AS l
SET
    granted_fen = g.fen,
    budget_cut_fen = l.granted_fen - g.fen,
    reasons = l.reasons || jsonb_build_array(
        jsonb_build_object('code', 'over_budget', 'amount_fen', l.granted_fen - g.fen)
    )
FROM given AS g
WHERE
    l.run_id = CAST(:run_id AS bigint) AND l.company_id = g.company_id AND l.line_no = g.line_no
    AND g.fen < l.granted_fen

-- grain:  inserts what a draft lists beside its lines: held claims, and backfill that was not asked for
-- params: run_id
-- source: DESIGN 6.5 and 6.6
-- whether anything can be held or backfilled at all; most first drafts of a month are done with this question
WITH possible AS (
    SELECT
        EXISTS (SELECT FROM served)
        OR EXISTS (SELECT FROM room AS r WHERE r.frozen OR r.spend_fen IS NOT NULL)
        OR EXISTS (SELECT FROM doc AS d WHERE d.own AND (d.verify OR d.usage_gap_fen IS NOT NULL))
        OR EXISTS (SELECT FROM added AS x WHERE x.other_fen > 0) AS possible
),

beside AS (
    SELECT t.*, t.phase = 1 AND t.granted_fen > 0 AS backfills
    FROM turn AS t
    WHERE (t.holds IS NOT NULL OR t.waits OR t.phase = 1) AND (SELECT p.possible FROM possible AS p)
),

listed AS (
    SELECT
        'held' AS list, 'grant' AS kind, b.*, CAST(0 AS bigint) AS listed_fen, CAST(0 AS bigint) AS short_fen,
        coalesce(b.holds, '[]')
        || CASE WHEN b.frozen AND b.settled_fen IS NULL THEN jsonb_build_array(jsonb_build_object(
            'code', 'frozen', 'amount_fen', b.worth_fen
        )) ELSE jsonb '[]' END AS why
    FROM beside AS b
    WHERE b.holds IS NOT NULL OR b.waits
    UNION ALL
    SELECT
        'held', 'backfill', b.*, 0, 0,
        jsonb_build_array(jsonb_build_object('code', 'frozen', 'amount_fen', b.granted_fen))
    FROM beside AS b
    WHERE b.backfills AND b.frozen
    UNION ALL
    SELECT
        'backfill', 'backfill', b.*, b.granted_fen, b.wanted_fen - b.granted_fen,
        CASE WHEN b.wanted_fen > b.granted_fen THEN jsonb_build_array(jsonb_build_object(
            'code', 'over_cap', 'amount_fen', b.wanted_fen - b.granted_fen
        )) ELSE jsonb '[]' END
    FROM beside AS b
    WHERE b.backfills AND NOT b.frozen AND NOT (SELECT a.backfill FROM asked AS a)
)

INSERT INTO draft_listed (
    run_id, list, company_id, cap_year, kind, invoice_id, accepted_no, basis_fen, computed_fen, overlap_cut_fen,
    granted_fen, withheld_fen, policy_ids, reasons
)
SELECT
    CAST(:run_id AS bigint), l.list, l.company_id, l.cap_year, l.kind, l.invoice_id, l.accepted_no, l.basis_fen,
    l.computed_fen, l.overlap_cut_fen, l.listed_fen, l.short_fen, l.policy_ids,
    (
        SELECT coalesce(jsonb_agg(e.reason ORDER BY array_position(a.codes, e.reason ->> 'code')), '[]')
        FROM jsonb_array_elements(coalesce(l.reasons, '[]') || coalesce(l.cuts, '[]') || l.why) AS e (reason)
        CROSS JOIN asked AS a
    )
FROM listed AS l

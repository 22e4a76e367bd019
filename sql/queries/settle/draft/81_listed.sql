-- grain:  inserts what the draft lists beside its lines: held claims, and backfill not asked for
-- params: run_id
WITH held AS (
    SELECT
        s.company_id, s.cap_year, 'grant' AS kind, s.invoice_id, s.accepted_no, s.basis_fen, s.computed_fen,
        s.computed_fen - s.worth_fen AS overlap_cut_fen, s.policy_ids, s.other_fen,
        s.undecided AND NOT s.settled AS waits,
        s.undecided AND s.settled AS open,
        s.granted_fen AS open_fen,
        CASE WHEN r.frozen AND NOT s.settled THEN s.worth_fen END AS frozen_fen
    FROM state AS s
    INNER JOIN room AS r ON r.company_id = s.company_id AND r.cap_year = s.cap_year
    WHERE s.taken AND (s.undecided OR (r.frozen AND NOT s.settled))
    UNION ALL
    SELECT
        t.company_id, t.cap_year, 'backfill', t.invoice_id, t.accepted_no, t.basis_fen, t.computed_fen,
        t.computed_fen - t.worth_fen, t.policy_ids, t.other_fen, FALSE, FALSE, 0, t.granted_fen
    FROM turn AS t
    WHERE t.phase = 1 AND t.granted_fen > 0 AND t.frozen
),

listed AS (
    SELECT
        'held' AS list, h.company_id, h.cap_year, h.kind, h.invoice_id, h.accepted_no, h.basis_fen, h.computed_fen,
        h.overlap_cut_fen, h.other_fen, CAST(0 AS bigint) AS granted_fen, CAST(0 AS bigint) AS withheld_fen,
        h.policy_ids,
        CASE WHEN h.waits THEN jsonb_build_array(jsonb_build_object(
            'code', 'other_subsidy_undecided', 'amount_fen', h.computed_fen, 'other_fen', h.other_fen
        )) ELSE jsonb '[]' END
        || CASE WHEN h.open THEN jsonb_build_array(jsonb_build_object(
            'code', 'overlap_open', 'amount_fen', h.open_fen, 'other_fen', h.other_fen
        )) ELSE jsonb '[]' END
        || CASE WHEN h.frozen_fen IS NOT NULL THEN jsonb_build_array(jsonb_build_object(
            'code', 'frozen', 'amount_fen', h.frozen_fen
        )) ELSE jsonb '[]' END AS reasons
    FROM held AS h
    UNION ALL
    SELECT
        'backfill', t.company_id, t.cap_year, 'backfill', t.invoice_id, t.accepted_no, t.basis_fen, t.computed_fen,
        t.computed_fen - t.worth_fen, t.other_fen, t.granted_fen, t.wanted_fen - t.granted_fen, t.policy_ids,
        CASE WHEN t.wanted_fen > t.granted_fen THEN jsonb_build_array(jsonb_build_object(
            'code', 'over_cap', 'amount_fen', t.wanted_fen - t.granted_fen
        )) ELSE jsonb '[]' END
    FROM turn AS t
    CROSS JOIN asked AS a
    WHERE t.phase = 1 AND t.granted_fen > 0 AND NOT t.frozen AND NOT a.backfill
)

INSERT INTO draft_listed (
    run_id, list, company_id, cap_year, kind, invoice_id, accepted_no, basis_fen, computed_fen, overlap_cut_fen,
    granted_fen, withheld_fen, policy_ids, reasons
)
SELECT
    CAST(:run_id AS bigint), l.list, l.company_id, l.cap_year, l.kind, l.invoice_id, l.accepted_no, l.basis_fen,
    l.computed_fen, l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.policy_ids,
    coalesce(r.reasons, '[]')
    || CASE WHEN l.overlap_cut_fen > 0 THEN jsonb_build_array(jsonb_build_object(
        'code', 'other_subsidy', 'amount_fen', l.overlap_cut_fen, 'other_fen', l.other_fen
    )) ELSE jsonb '[]' END
    || l.reasons
FROM listed AS l
LEFT JOIN reasons AS r ON r.company_id = l.company_id AND r.invoice_id = l.invoice_id AND r.cap_year = l.cap_year

-- grain:  inserts what the draft lists beside its lines: held claims, and backfill not asked for
-- params: run_id
WITH listed AS (
    SELECT
        'held' AS list, s.company_id, s.cap_year, s.invoice_id, s.accepted_no, s.basis_fen, s.computed_fen,
        s.computed_fen - s.worth_fen AS overlap_cut_fen, CAST(0 AS bigint) AS granted_fen,
        CAST(0 AS bigint) AS withheld_fen, s.policy_ids,
        CASE
            WHEN s.computed_fen > s.worth_fen THEN jsonb_build_array(jsonb_build_object(
                'code', 'other_subsidy', 'amount_fen', s.computed_fen - s.worth_fen, 'other_fen', s.other_fen
            )) ELSE jsonb '[]'
        END || jsonb_build_array(jsonb_build_object(
            'code', CASE WHEN s.settled THEN 'overlap_open' ELSE 'other_subsidy_undecided' END,
            'amount_fen', CASE WHEN s.settled THEN s.granted_fen ELSE s.computed_fen END,
            'other_fen', s.other_fen
        )) AS reasons
    FROM state AS s
    WHERE s.undecided AND s.taken
    UNION ALL
    SELECT
        'backfill', t.company_id, t.cap_year, t.invoice_id, t.accepted_no, t.basis_fen, t.computed_fen,
        t.computed_fen - t.worth_fen, t.granted_fen, t.wanted_fen - t.granted_fen, t.policy_ids,
        CASE
            WHEN t.computed_fen > t.worth_fen THEN jsonb_build_array(jsonb_build_object(
                'code', 'other_subsidy', 'amount_fen', t.computed_fen - t.worth_fen, 'other_fen', t.other_fen
            )) ELSE jsonb '[]'
        END || CASE
            WHEN t.wanted_fen > t.granted_fen THEN jsonb_build_array(jsonb_build_object(
                'code', 'over_cap', 'amount_fen', t.wanted_fen - t.granted_fen
            )) ELSE jsonb '[]'
        END
    FROM turn AS t
    CROSS JOIN asked AS a
    WHERE t.phase = 1 AND t.granted_fen > 0 AND NOT a.backfill
)

INSERT INTO draft_listed (
    run_id, list, company_id, cap_year, invoice_id, accepted_no, basis_fen, computed_fen, overlap_cut_fen,
    granted_fen, withheld_fen, policy_ids, reasons
)
SELECT
    CAST(:run_id AS bigint), l.list, l.company_id, l.cap_year, l.invoice_id, l.accepted_no, l.basis_fen,
    l.computed_fen, l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.policy_ids,
    coalesce(r.reasons, '[]') || l.reasons
FROM listed AS l
LEFT JOIN reasons AS r ON r.company_id = l.company_id AND r.invoice_id = l.invoice_id AND r.cap_year = l.cap_year

-- grain:  inserts the draft's lines, numbered by company, cap year, kind and acceptance
-- params: run_id
WITH kept AS (
    SELECT
        t.*,
        CASE WHEN t.phase = 0 THEN 0 ELSE t.wanted_fen - t.granted_fen END AS withheld_fen,
        t.computed_fen - t.worth_fen AS overlap_cut_fen
    FROM turn AS t
    CROSS JOIN asked AS a
    WHERE t.phase <> 1 OR (a.backfill AND t.granted_fen > 0 AND NOT t.frozen)
)

INSERT INTO draft_line (
    company_id, run_id, line_no, cap_year, kind, invoice_id, accepted_no, basis_fen, computed_fen, overlap_cut_fen,
    granted_fen, withheld_fen, budget_cut_fen, policy_ids, reasons
)
SELECT
    k.company_id, CAST(:run_id AS bigint),
    row_number() OVER (ORDER BY k.company_id, k.cap_year, k.phase, k.accepted_no),
    k.cap_year, (ARRAY['recovery', 'backfill', 'grant'])[k.phase + 1], k.invoice_id, k.accepted_no, k.basis_fen,
    k.computed_fen, k.overlap_cut_fen, k.granted_fen, k.withheld_fen, 0, k.policy_ids,
    CASE
        WHEN r.reasons IS NULL AND k.overlap_cut_fen = 0 AND k.withheld_fen = 0 THEN jsonb '[]'
        ELSE coalesce(r.reasons, '[]')
            || CASE
                WHEN k.overlap_cut_fen > 0 THEN jsonb_build_array(jsonb_build_object(
                    'code', 'other_subsidy', 'amount_fen', k.overlap_cut_fen, 'other_fen', k.other_fen
                )) ELSE jsonb '[]'
            END
            || CASE
                WHEN k.withheld_fen > 0
                    THEN jsonb_build_array(jsonb_build_object('code', 'over_cap', 'amount_fen', k.withheld_fen))
                ELSE jsonb '[]'
            END
    END
FROM kept AS k
LEFT JOIN reasons AS r ON r.company_id = k.company_id AND r.invoice_id = k.invoice_id AND r.cap_year = k.cap_year

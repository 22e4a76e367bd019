-- grain:  inserts the draft's lines, numbered by company, cap year, kind and acceptance
-- params: run_id
-- source: DESIGN 6.6
WITH line AS (
    SELECT
        t.*, CASE WHEN t.phase = 0 THEN 0 ELSE t.wanted_fen - t.granted_fen END AS withheld_fen,
        row_number() OVER (ORDER BY t.company_id, t.cap_year, t.phase, t.accepted_no) AS line_no
    FROM turn AS t
    WHERE
        NOT t.waits
        AND (t.phase <> 1 OR (t.granted_fen > 0 AND NOT t.frozen AND (SELECT a.backfill FROM asked AS a)))
)

INSERT INTO draft_line (
    company_id, run_id, line_no, cap_year, kind, invoice_id, accepted_no, basis_fen, computed_fen, overlap_cut_fen,
    granted_fen, withheld_fen, budget_cut_fen, policy_ids, reasons
)
SELECT
    l.company_id, CAST(:run_id AS bigint), l.line_no, l.cap_year,
    CASE l.phase WHEN 2 THEN 'grant' WHEN 1 THEN 'backfill' ELSE 'recovery' END,
    l.invoice_id, l.accepted_no, l.basis_fen, l.computed_fen, l.overlap_cut_fen, l.granted_fen, l.withheld_fen, 0,
    l.policy_ids,
    CASE
        WHEN l.phase = 0
            THEN coalesce(l.reasons, '[]') || coalesce(l.cuts, '[]') || jsonb_build_array(jsonb_build_object(
                'code', 'over_granted', 'amount_fen', -l.granted_fen, 'other_fen', l.settled_fen
            ))
        WHEN l.reasons IS NULL AND l.cuts IS NULL AND l.withheld_fen = 0 THEN jsonb '[]'
        ELSE coalesce(l.reasons, '[]') || coalesce(l.cuts, '[]')
            || CASE WHEN l.withheld_fen > 0 THEN jsonb_build_array(jsonb_build_object(
                'code', 'over_cap', 'amount_fen', l.withheld_fen
            )) ELSE jsonb '[]' END
    END
FROM line AS l

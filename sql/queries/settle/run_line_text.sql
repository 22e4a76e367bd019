-- grain:  one row per company of a submitted run, in order: its lines as text, the input of the run's digest
-- params: run_id
-- A line's columns stand in one fixed order, joined by | and ended by a line feed; none of them is ever null.
SELECT
    string_agg(
        concat_ws(
            '|', l.line_no, l.company_id, l.cap_year, l.kind, l.invoice_id, l.accepted_no, l.basis_fen,
            l.computed_fen, l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.budget_cut_fen, l.policy_ids, l.reasons
        ) || chr(10), '' ORDER BY l.line_no
    ) AS lines
FROM run_line AS l
WHERE l.run_id = CAST(:run_id AS bigint)
GROUP BY l.company_id
ORDER BY l.company_id

-- grain:  one row per line of an invoice in a run submitted by the cutoff, with what became of the run, in order
--         before_fen: what the run's lines before it took of the company-year's room, before the budget cut them
-- params: company_id, invoice_id, programme, cutoff (seal number)
WITH submitted AS (
    SELECT
        r.run_id, r.through_on, r.backfill, r.cutoff_no, p.maker,
        CASE WHEN ds.no <= CAST(:cutoff AS bigint) THEN d.verdict ELSE 'submitted' END AS state,
        CASE WHEN ds.no <= CAST(:cutoff AS bigint) AND d.verdict <> 'withdrawn' THEN d.decided_by END AS checker,
        CASE WHEN ds.no <= CAST(:cutoff AS bigint) THEN a.effective_on END AS decided_on,
        CASE WHEN ds.no <= CAST(:cutoff AS bigint) THEN d.why ELSE '' END AS why
    FROM run AS r
    INNER JOIN seal AS s ON s.act_id = r.act_id
    INNER JOIN proposal AS p ON p.act_id = r.proposal_act_id
    LEFT JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id
    LEFT JOIN seal AS ds ON ds.act_id = d.act_id
    LEFT JOIN act AS a ON a.act_id = d.act_id
    WHERE s.no <= CAST(:cutoff AS bigint) AND r.programme_id = :programme
)

SELECT
    r.run_id, r.through_on, r.backfill, r.cutoff_no, r.maker, r.state, r.checker, r.decided_on, r.why, l.cap_year,
    l.kind,
    l.basis_fen, l.computed_fen, l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.budget_cut_fen, l.policy_ids,
    l.reasons,
    CAST(coalesce((
        SELECT sum(e.granted_fen + e.budget_cut_fen)
        FROM run_line AS e
        WHERE
            e.company_id = l.company_id AND e.run_id = l.run_id AND e.cap_year = l.cap_year AND e.line_no < l.line_no
    ), 0) AS bigint) AS before_fen
FROM run_line AS l
INNER JOIN submitted AS r ON r.run_id = l.run_id
WHERE l.company_id = CAST(:company_id AS bigint) AND l.invoice_id = CAST(:invoice_id AS bigint)
ORDER BY r.run_id, l.cap_year, l.line_no

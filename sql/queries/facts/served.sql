-- grain:  one row per line of a run approved by the cutoff, in order of approval
--         final: the run was pro rata; not of a company-year that had no voucher to draw on, where vouchers are applied
--         for: the voucher that comes is not used up by it
-- params: programme, cutoff (seal number), first_id, last_id (companies, inclusive)
SELECT
    l.invoice_id, l.cap_year, l.kind, l.granted_fen, l.withheld_fen, l.budget_cut_fen,
    r.pro_rata
    AND (
        EXISTS (
            SELECT FROM voucher AS v
            INNER JOIN seal AS i ON i.act_id = v.act_id
            WHERE
                v.programme_id = r.programme_id AND v.company_id = l.company_id AND v.cap_year = l.cap_year
                AND i.no <= s.no
        )
        OR EXISTS (
            SELECT FROM run_line AS o
            WHERE
                o.company_id = l.company_id AND o.run_id = l.run_id AND o.cap_year = l.cap_year
                AND (o.granted_fen <> 0 OR o.budget_cut_fen <> 0)
        )
    ) AS final
FROM run_line AS l
INNER JOIN run AS r ON r.run_id = l.run_id
INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
INNER JOIN seal AS s ON s.act_id = d.act_id
WHERE
    s.no <= CAST(:cutoff AS bigint) AND r.programme_id = :programme
    AND l.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
ORDER BY s.no, l.line_no

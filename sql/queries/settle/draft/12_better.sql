-- grain:  temporary table better, one row per invoice with further documents by the cutoff: whose lines, span
--         and amounts count, and the template whose payments and contract do
-- params: none (reads asked)
-- source: DESIGN 7 and 6.7; better evidence after acceptance is an adjustment
CREATE TEMPORARY TABLE better ON COMMIT DROP AS
SELECT e.company_id, e.invoice_id, e.act_id, e.kind, e.span, e.net_fen, e.gross_fen, e.template_act_id,
    e.paid_fen, e.contract_no
FROM evidence_at((SELECT a.cutoff FROM asked AS a)) AS e

-- grain:  temporary table better, one row per invoice with further documents by the cutoff: whose lines, span
--         and amounts count
-- params: none (reads asked)
-- source: DESIGN 7 and 6.7; better evidence after acceptance is an adjustment
CREATE TEMPORARY TABLE better ON COMMIT DROP AS
SELECT e.company_id, e.invoice_id, e.act_id, e.kind, e.span, e.net_fen, e.gross_fen
FROM evidence_at((SELECT a.cutoff FROM asked AS a)) AS e

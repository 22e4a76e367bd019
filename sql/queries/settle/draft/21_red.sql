-- grain:  temporary table red, one row per red-letter accepted by the cutoff, with the blue it reverses
-- params: none (reads asked, better)
CREATE TEMPORARY TABLE red ON COMMIT DROP AS
SELECT
    b.company_id, b.invoice_id, r.company_id AS red_company_id, r.invoice_id AS red_invoice_id,
    r.net_fen + coalesce(v.net_fen, 0) AS net_fen, r.gross_fen + coalesce(v.gross_fen, 0) AS gross_fen,
    CASE WHEN v.template_act_id IS NULL THEN r.paid_fen ELSE v.paid_fen END AS paid_fen
FROM invoice AS r
INNER JOIN seal AS s ON s.act_id = r.act_id
INNER JOIN invoice_number AS b ON b.number = r.original_number
LEFT JOIN better AS v ON v.company_id = r.company_id AND v.invoice_id = r.invoice_id
WHERE r.kind = 'red' AND r.original_number IS NOT NULL AND s.no <= (SELECT a.cutoff FROM asked AS a)

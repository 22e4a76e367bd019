-- grain:  temporary table reasons, one row per claim with parts of its year that do not count
-- params: none (reads asked, cut)
CREATE TEMPORARY TABLE reasons ON COMMIT DROP AS
SELECT
    c.company_id, c.invoice_id, c.cap_year,
    jsonb_agg(
        jsonb_build_object('code', c.code, 'amount_fen', c.amount_fen) ORDER BY array_position(a.codes, c.code)
    ) AS reasons
FROM cut AS c
CROSS JOIN asked AS a
GROUP BY c.company_id, c.invoice_id, c.cap_year

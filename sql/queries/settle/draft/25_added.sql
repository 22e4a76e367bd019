-- grain:  temporary table added, one row per invoice that red-letters, payments, other subsidies or a further
--         document's span, amounts or payments concern: their sums, in fen; paid_fen is null when they say nothing of
--         payments; span and contract_no, when they are not null, take the place of the invoice's; template: so do
--         another template's payments
-- params: none (reads asked, better, red)
-- source: DESIGN 6.1, 6.5 and 6.7; red-letters are added first
CREATE TEMPORARY TABLE added ON COMMIT DROP AS
WITH registered AS (
    SELECT p.invoice_number, p.amount_fen AS paid_fen, CAST(NULL AS bigint) AS other_fen
    FROM invoice_payment_at((SELECT a.cutoff FROM asked AS a)) AS p
    UNION ALL
    SELECT u.invoice_number, NULL, u.amount_fen
    FROM subsidy_at((SELECT a.cutoff FROM asked AS a)) AS u
    WHERE NOT u.waived AND u.amount_fen > 0
),

addition AS (
    SELECT
        r.company_id, r.invoice_id, r.net_fen, r.gross_fen, r.paid_fen, CAST(NULL AS bigint) AS other_fen,
        CAST(NULL AS daterange) AS span, CAST(NULL AS text) AS contract_no, FALSE AS template
    FROM red AS r
    UNION ALL
    SELECT n.company_id, n.invoice_id, NULL, NULL, g.paid_fen, g.other_fen, NULL, NULL, FALSE
    FROM registered AS g
    INNER JOIN invoice_number AS n ON n.number = g.invoice_number
    UNION ALL
    SELECT v.company_id, v.invoice_id, v.net_fen, v.gross_fen, v.paid_fen, NULL, v.span, v.contract_no,
        v.template_act_id IS NOT NULL
    FROM better AS v
    WHERE v.span IS NOT NULL OR v.net_fen <> 0 OR v.gross_fen <> 0 OR v.template_act_id IS NOT NULL
)

SELECT
    x.company_id, x.invoice_id, CAST(sum(x.net_fen) AS bigint) AS net_fen,
    CAST(sum(x.gross_fen) AS bigint) AS gross_fen, CAST(sum(x.paid_fen) AS bigint) AS paid_fen,
    CAST(sum(x.other_fen) AS bigint) AS other_fen,
    (array_agg(x.span) FILTER (WHERE x.span IS NOT NULL))[1] AS span,
    max(x.contract_no) AS contract_no, bool_or(x.template) AS template
FROM addition AS x
GROUP BY x.company_id, x.invoice_id

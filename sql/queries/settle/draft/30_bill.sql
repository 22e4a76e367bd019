-- grain:  temporary table bill, one row per blue invoice accepted by the cutoff: its days and its document
-- params: none (reads asked, better, doc, pair, late)
-- source: DESIGN 6.2; the document in force on the first eligible day decides tax codes, basis and overlap,
--         without an eligible day the one in force on the first service day that has one
CREATE TEMPORARY TABLE bill ON COMMIT DROP AS
WITH in_force AS (
    SELECT coalesce(range_agg(d.force), '{}') AS days FROM doc AS d WHERE d.own
),

dated AS (
    SELECT
        i.company_id, i.invoice_id, i.number, i.provider_id, s.accepted_before + i.place AS accepted_no,
        coalesce(v.span, i.span) AS span,
        i.received_on, i.gross_fen, i.paid_fen,
        p.days * datemultirange(coalesce(v.span, i.span)) - l.days AS days
    FROM invoice AS i
    INNER JOIN seal AS s ON s.act_id = i.act_id
    INNER JOIN pair AS p ON p.company_id = i.company_id AND p.provider_id = i.provider_id
    INNER JOIN late AS l ON l.received_on = i.received_on
    LEFT JOIN better AS v ON v.company_id = i.company_id AND v.invoice_id = i.invoice_id
    WHERE i.kind = 'blue' AND s.no <= (SELECT a.cutoff FROM asked AS a)
),

decided AS (
    SELECT
        t.*,
        CASE WHEN isempty(t.days) THEN lower(f.days * datemultirange(t.span)) ELSE lower(t.days) END AS decided_on
    FROM dated AS t
    CROSS JOIN in_force AS f
)

SELECT t.*, d.policy_id
FROM decided AS t
LEFT JOIN doc AS d ON d.own AND d.force @> t.decided_on

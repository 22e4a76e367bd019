-- grain:  temporary table partial, one row per bill that does not count whole: its days and its document
-- params: none (reads doc, unsliced, pair, late)
-- source: DESIGN 6.2; the document in force on the first eligible day decides tax codes, basis and overlap,
--         without an eligible day the one in force on the first service day that has one
CREATE TEMPORARY TABLE partial ON COMMIT DROP AS
WITH in_force AS (
    SELECT coalesce(range_agg(d.force), '{}') AS days FROM doc AS d WHERE d.own
),

dated AS (
    SELECT
        b.company_id, b.invoice_id, b.provider_id, b.accepted_no, b.span, b.net_fen, b.other_fen,
        p.days * datemultirange(b.span) - l.days AS days
    FROM unsliced AS b
    INNER JOIN pair AS p ON p.company_id = b.company_id AND p.provider_id = b.provider_id
    INNER JOIN late AS l ON l.received_on = b.received_on
),

decided AS (
    SELECT
        t.*,
        CASE WHEN isempty(t.days) THEN lower(f.days * datemultirange(t.span)) ELSE lower(t.days) END AS decided_on
    FROM dated AS t
    CROSS JOIN in_force AS f
)

SELECT t.*, d.doc_no
FROM decided AS t
LEFT JOIN doc AS d ON d.own AND d.force @> t.decided_on

-- grain:  temporary table bill, one row per blue invoice of these companies accepted by the cutoff: its money, and
--         the cap year and the document of one that counts whole in one year (doc_no null: its days must be looked
--         at one by one)
-- params: none (reads asked, touched, stretch, listed, related, added)
-- source: DESIGN 6.1; paid_fen is null when no payment was ever given
CREATE TEMPORARY TABLE bill ON COMMIT DROP AS
SELECT
    i.company_id, i.invoice_id, i.provider_id, s.accepted_before + i.place AS accepted_no,
    coalesce(x.span, i.span) AS span, i.received_on,
    i.net_fen + coalesce(x.net_fen, 0) AS net_fen,
    i.gross_fen + coalesce(x.gross_fen, 0) AS gross_fen,
    CASE
        WHEN x.template THEN x.paid_fen
        WHEN i.paid_fen IS NOT NULL OR x.paid_fen IS NOT NULL THEN coalesce(i.paid_fen, 0) + coalesce(x.paid_fen, 0)
    END AS paid_fen,
    coalesce(x.other_fen, 0) AS other_fen,
    t.cap_year, t.doc_no, upper(coalesce(x.span, i.span)) - 1 AS last_on
FROM invoice AS i
INNER JOIN touched AS k ON k.company_id = i.company_id
INNER JOIN seal AS s ON s.act_id = i.act_id
LEFT JOIN added AS x ON x.company_id = i.company_id AND x.invoice_id = i.invoice_id
LEFT JOIN related AS r ON r.company_id = i.company_id AND r.provider_id = i.provider_id
LEFT JOIN listed AS p
    ON p.provider_id = i.provider_id AND coalesce(x.span, i.span) <@ p.days AND r.company_id IS NULL
LEFT JOIN stretch AS t
    ON t.company_id = i.company_id AND coalesce(x.span, i.span) <@ t.days AND i.received_on <= t.until_on
    AND p.provider_id IS NOT NULL
WHERE i.kind = 'blue' AND s.no <= (SELECT a.cutoff FROM asked AS a)

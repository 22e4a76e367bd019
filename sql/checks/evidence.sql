-- check:  each further document of an invoice states its money, or that of a document that a person decided for,
--         and its lines add up to it
-- title:  发票的各份单据金额一致
-- grain:  one row per further document that differs; no rows means all is well
-- params: none
-- source: DESIGN 7, one number is one invoice; a QR code states one amount only
WITH summed AS (
    SELECT
        l.company_id, l.invoice_id, l.act_id, l.kind, sum(l.net_fen) AS net_fen, sum(l.tax_fen) AS tax_fen
    FROM evidence_line AS l
    GROUP BY l.company_id, l.invoice_id, l.act_id, l.kind
)

SELECT
    s.no AS act_no, i.number AS subject,
    format(
        '发票价税合计%s元，单据（%s）为%s元。', round(i.gross_fen / 100.0, 2), e.kind,
        coalesce(round(e.gross_fen / 100.0, 2) || '', '—')
    ) AS detail
FROM evidence AS e
INNER JOIN invoice AS i ON i.company_id = e.company_id AND i.invoice_id = e.invoice_id
LEFT JOIN summed AS m
    ON m.company_id = e.company_id AND m.invoice_id = e.invoice_id AND m.act_id = e.act_id AND m.kind = e.kind
LEFT JOIN seal AS s ON s.act_id = e.act_id
WHERE
    (
        NOT EXISTS (
            SELECT FROM resolution AS r WHERE r.company_id = i.company_id AND r.invoice_id = i.invoice_id
            AND ((e.kind <> 'qr' AND r.net_fen = e.net_fen AND r.tax_fen = e.tax_fen AND r.gross_fen = e.gross_fen)
                OR (e.kind = 'qr' AND coalesce(e.gross_fen, e.net_fen) IN (r.gross_fen, r.net_fen)))
        )
        AND CASE
            WHEN e.kind = 'qr' THEN coalesce(e.gross_fen, e.net_fen) NOT IN (i.gross_fen, i.net_fen)
            ELSE e.net_fen <> i.net_fen OR e.tax_fen <> i.tax_fen OR e.gross_fen <> i.gross_fen
        END
    )
    OR e.has_lines <> (m.net_fen IS NOT NULL)
    OR m.net_fen <> e.net_fen OR m.tax_fen <> e.tax_fen
ORDER BY s.no, i.number, e.kind

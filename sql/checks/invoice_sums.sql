-- check:  an invoice's amounts are the sums of its lines
-- title:  发票金额等于各行之和
-- grain:  one row per invoice that differs; no rows means all is well
-- params: none
-- source: DESIGN 7, an invoice stands or falls whole
WITH summed AS (
    SELECT
        l.company_id, l.invoice_id, sum(l.net_fen) AS net_fen, sum(l.tax_fen) AS tax_fen,
        sum(l.gross_fen) AS gross_fen, sum(l.paid_fen) AS paid_fen
    FROM invoice_line AS l
    GROUP BY l.company_id, l.invoice_id
)

SELECT
    s.no AS act_no, i.number AS subject,
    format(
        '发票不含税%s元、税额%s元、价税合计%s元、已付%s元；各行合计%s元、%s元、%s元、%s元。',
        round(i.net_fen / 100.0, 2), round(i.tax_fen / 100.0, 2), round(i.gross_fen / 100.0, 2),
        coalesce(round(i.paid_fen / 100.0, 2) || '', '—'),
        round(m.net_fen / 100.0, 2), round(m.tax_fen / 100.0, 2), round(m.gross_fen / 100.0, 2),
        coalesce(round(m.paid_fen / 100.0, 2) || '', '—')
    ) AS detail
FROM invoice AS i
LEFT JOIN summed AS m ON m.company_id = i.company_id AND m.invoice_id = i.invoice_id
LEFT JOIN seal AS s ON s.act_id = i.act_id
WHERE
    m.net_fen IS DISTINCT FROM i.net_fen OR m.tax_fen IS DISTINCT FROM i.tax_fen
    OR m.gross_fen IS DISTINCT FROM i.gross_fen OR m.paid_fen IS DISTINCT FROM i.paid_fen
ORDER BY s.no, i.number

-- check:  an invoice's amounts are the sums of its lines
-- title:  发票金额等于各行之和
-- grain:  one row per invoice that differs; no rows means all is well
-- params: none
-- source: DESIGN 7, an invoice stands or falls whole
WITH further AS (
    SELECT
        l.company_id, l.invoice_id, CAST(sum(l.net_fen) AS bigint) AS net_fen,
        CAST(sum(l.tax_fen) AS bigint) AS tax_fen,
        CAST(sum(l.gross_fen) AS bigint) AS gross_fen, CAST(sum(l.paid_fen) AS bigint) AS paid_fen
    FROM invoice_line AS l
    WHERE l.line_no <> 1
    GROUP BY l.company_id, l.invoice_id
),

-- most invoices have one line: only the others are summed
summed AS (
    SELECT
        i.act_id, i.number, i.net_fen, i.tax_fen, i.gross_fen, i.paid_fen,
        coalesce(l.net_fen, 0) + coalesce(f.net_fen, 0) AS lines_net_fen,
        coalesce(l.tax_fen, 0) + coalesce(f.tax_fen, 0) AS lines_tax_fen,
        coalesce(l.gross_fen, 0) + coalesce(f.gross_fen, 0) AS lines_gross_fen,
        CASE
            WHEN coalesce(l.paid_fen, f.paid_fen) IS NOT NULL THEN coalesce(l.paid_fen, 0) + coalesce(f.paid_fen, 0)
        END AS lines_paid_fen,
        coalesce(l.invoice_id, f.invoice_id) IS NULL AS without
    FROM invoice AS i
    LEFT JOIN invoice_line AS l ON l.company_id = i.company_id AND l.invoice_id = i.invoice_id AND l.line_no = 1
    LEFT JOIN further AS f ON f.company_id = i.company_id AND f.invoice_id = i.invoice_id
)

SELECT
    s.no AS act_no, m.number AS subject,
    format(
        '发票不含税%s元、税额%s元、价税合计%s元、已付%s元；各行合计%s元、%s元、%s元、%s元。',
        round(m.net_fen / 100.0, 2), round(m.tax_fen / 100.0, 2), round(m.gross_fen / 100.0, 2),
        coalesce(round(m.paid_fen / 100.0, 2) || '', '—'),
        round(m.lines_net_fen / 100.0, 2), round(m.lines_tax_fen / 100.0, 2), round(m.lines_gross_fen / 100.0, 2),
        coalesce(round(m.lines_paid_fen / 100.0, 2) || '', '—')
    ) AS detail
FROM summed AS m
LEFT JOIN seal AS s ON s.act_id = m.act_id
WHERE
    m.net_fen <> m.lines_net_fen OR m.tax_fen <> m.lines_tax_fen OR m.gross_fen <> m.lines_gross_fen
    OR m.paid_fen IS DISTINCT FROM m.lines_paid_fen OR m.without
ORDER BY s.no, m.number

-- check:  red-letters name an accepted blue invoice of the same parties and never take it below zero
-- title:  红字不超过原发票
-- grain:  one row per reversed invoice that went wrong; no rows means all is well
-- params: none
-- source: DESIGN 6.7
WITH reversed AS (
    SELECT
        r.original_number, r.company_id, r.provider_id, max(s.no) AS no, sum(m.net_fen) AS net_fen,
        sum(m.tax_fen) AS tax_fen, sum(m.gross_fen) AS gross_fen
    FROM invoice AS r
    INNER JOIN invoice_money AS m ON m.company_id = r.company_id AND m.invoice_id = r.invoice_id
    LEFT JOIN seal AS s ON s.act_id = r.act_id
    WHERE r.kind = 'red'
    GROUP BY r.original_number, r.company_id, r.provider_id
)

SELECT
    r.no AS act_no, r.original_number AS subject,
    CASE
        WHEN b.invoice_id IS NULL THEN '红字所冲的蓝字发票未受理，或供需双方不同。'
        ELSE format(
            '原发票价税合计%s元，红字合计%s元，冲减后不含税%s元、税额%s元。', round(b.gross_fen / 100.0, 2),
            round(r.gross_fen / 100.0, 2), round((b.net_fen + r.net_fen) / 100.0, 2),
            round((b.tax_fen + r.tax_fen) / 100.0, 2)
        )
    END AS detail
FROM reversed AS r
LEFT JOIN invoice AS i
    ON i.number = r.original_number AND i.kind = 'blue'
    AND i.company_id = r.company_id AND i.provider_id = r.provider_id
LEFT JOIN invoice_money AS b ON b.company_id = i.company_id AND b.invoice_id = i.invoice_id
WHERE
    b.invoice_id IS NULL OR b.net_fen + r.net_fen < 0 OR b.tax_fen + r.tax_fen < 0 OR b.gross_fen + r.gross_fen < 0
ORDER BY r.no, r.original_number

-- grain:  inserts the problems that the books gave, and the warnings of accepted parties
-- params: none (reads judged, stage)
-- Of an invoice that another provider handed in nothing is told but that.
INSERT INTO found (upload_id, code, sheet, row_no, column_name, value, invoice_number, words)
SELECT
    j.upload_id, j.code, j.sheet, CASE WHEN j.held_upload_id = 0 THEN j.first_row END,
    CASE j.code
        WHEN 'unknown_company' THEN '用方统一社会信用代码'
        WHEN 'original_missing' THEN '原发票号码'
        WHEN 'original_is_red' THEN '原发票号码'
        WHEN 'red_exceeds_blue' THEN '原发票号码'
        WHEN 'red_parties_differ' THEN '原发票号码'
        WHEN 'conflict_invoice' THEN '发票号码'
        WHEN 'conflict_waiting' THEN '发票号码'
        WHEN 'tax_codes_missing' THEN '税收分类编码'
        WHEN 'qr_only' THEN ''
        ELSE '服务起始日'
    END,
    CASE j.code
        WHEN 'unknown_company' THEN j.company_uscc
        WHEN 'original_missing' THEN j.original_number
        WHEN 'original_is_red' THEN j.original_number
        WHEN 'red_exceeds_blue' THEN j.original_number
        WHEN 'red_parties_differ' THEN j.original_number
        WHEN 'conflict_invoice' THEN j.number
        WHEN 'conflict_waiting' THEN j.number
        WHEN 'qr_only' THEN j.number
        WHEN 'past_claim_deadline' THEN to_char(lower(j.span), 'YYYY-MM-DD')
        ELSE ''
    END,
    j.number,
    jsonb_build_object(
        'original', j.original_number, 'received', j.received_on, 'detail',
        CASE
            WHEN o.uscc <> j.provider_uscc THEN '供方不同'
            WHEN i.gross_fen <> j.gross_fen
                THEN format(
                    '已受理价税合计%s元，这次%s元',
                    CAST(CAST(i.gross_fen AS numeric) / 100 AS numeric(20, 2)),
                    CAST(CAST(j.gross_fen AS numeric) / 100 AS numeric(20, 2))
                )
            WHEN i.net_fen <> j.net_fen
                THEN format(
                    '已受理不含税金额%s元，这次%s元',
                    CAST(CAST(i.net_fen AS numeric) / 100 AS numeric(20, 2)),
                    CAST(CAST(j.net_fen AS numeric) / 100 AS numeric(20, 2))
                )
            WHEN i.invoice_id IS NOT NULL THEN '金额相同，其他内容不同'
        END
    )
FROM judged AS j
LEFT JOIN invoice_number AS n ON j.code = 'conflict_invoice' AND n.number = j.number
LEFT JOIN invoice_money AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
LEFT JOIN invoice AS v ON v.company_id = n.company_id AND v.invoice_id = n.invoice_id
LEFT JOIN party AS o ON o.party_id = v.provider_id
WHERE
    j.code NOT IN ('', 'duplicate_invoice', 'not_the_uploader') AND j.fault IS NULL
    AND (j.held_upload_id = 0 OR j.outcome = 'rejected')
UNION ALL
SELECT
    j.upload_id, 'not_listed', min(j.sheet), min(j.first_row), '供方统一社会信用代码', j.provider_uscc, '', '{}'
FROM judged AS j
WHERE
    j.outcome = 'accepted' AND j.held_upload_id = 0
    AND NOT EXISTS (
        SELECT FROM party AS p
        INNER JOIN listing AS l ON l.provider_id = p.party_id
        WHERE p.uscc = j.provider_uscc
    )
GROUP BY j.upload_id, j.provider_uscc
UNION ALL
SELECT
    t.upload_id, 'name_differs', t.sheet, t.first_row, t.column_name, t.name, '',
    jsonb_build_object('registered', n.name)
FROM (
    SELECT j.upload_id, min(j.sheet) AS sheet, min(j.first_row) AS first_row, '用方名称' AS column_name,
        j.company_uscc AS uscc, j.company_name AS name
    FROM judged AS j
    WHERE j.outcome = 'accepted' AND j.held_upload_id = 0
    GROUP BY j.upload_id, j.company_uscc, j.company_name
    UNION ALL
    SELECT j.upload_id, min(j.sheet), min(j.first_row), '供方名称', j.provider_uscc, j.provider_name
    FROM judged AS j
    WHERE j.outcome = 'accepted' AND j.held_upload_id = 0
    GROUP BY j.upload_id, j.provider_uscc, j.provider_name
) AS t
INNER JOIN party AS p ON p.uscc = t.uscc
-- OFFSET 0 has the names looked up party by party: there are few of them in a file, and many on record
CROSS JOIN LATERAL (
    SELECT a.name FROM party_name_at(9223372036854775807) AS a WHERE a.party_id = p.party_id OFFSET 0 -- noqa: AM09
) AS n
WHERE n.name <> t.name

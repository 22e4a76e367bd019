-- grain:  inserts into several one row per invoice of more than one row: what its rows agree on
-- params: none (reads stage, context)
INSERT INTO several (
    invoice_number, held_upload_id, first_sheet, first_row, rows, has_error, wrong_row, differing, identical, too_large,
    net_fen, tax_fen, gross_fen, paid_fen, digest
)
WITH repeated AS (
    SELECT s.invoice_number, s.held_upload_id
    FROM stage AS s
    WHERE s.invoice_number IS NOT NULL
    GROUP BY s.invoice_number, s.held_upload_id
    HAVING count(*) > 1
)

SELECT
    s.invoice_number, s.held_upload_id, (array_agg(s.sheet ORDER BY s.row_no, s.sheet COLLATE "C"))[1] AS first_sheet,
    min(s.row_no) AS first_row, count(*) AS rows, bool_or(s.has_error) AS has_error,
    min(s.row_no) FILTER (WHERE s.has_error) AS wrong_row,
    array_remove(ARRAY[
        CASE WHEN count(DISTINCT s.invoice_kind) > 1 THEN '发票类型' END,
        CASE WHEN count(DISTINCT s.issued_on) > 1 THEN '开票日期' END,
        CASE WHEN count(DISTINCT s.provider_uscc) > 1 THEN '供方统一社会信用代码' END,
        CASE WHEN count(DISTINCT s.provider_name) > 1 THEN '供方名称' END,
        CASE WHEN count(DISTINCT s.company_uscc) > 1 THEN '用方统一社会信用代码' END,
        CASE WHEN count(DISTINCT s.company_name) > 1 THEN '用方名称' END,
        CASE WHEN count(DISTINCT coalesce(s.contract_no, '')) > 1 THEN '合同编号' END,
        CASE WHEN count(DISTINCT coalesce(s.service_from, '-infinity')) > 1 THEN '服务起始日' END,
        CASE WHEN count(DISTINCT coalesce(s.service_until, '-infinity')) > 1 THEN '服务截止日' END,
        CASE WHEN count(DISTINCT coalesce(s.original_number, '')) > 1 THEN '原发票号码' END
    ], NULL) AS differing,
    -- a document may well have two lines alike; in a table that people fill in, it is a mistake, and so it is in an
    -- export when the two have the same 序号 too; what was held before was looked at then
    count(DISTINCT CASE x.evidence WHEN 'template' THEN s.digest WHEN 'export' THEN s.raw END)
        FILTER (WHERE s.held_upload_id = 0)
    < count(*) FILTER (WHERE s.held_upload_id = 0 AND x.evidence IN ('template', 'export')) AS identical,
    greatest(abs(sum(s.net_fen)), abs(sum(s.tax_fen)), abs(sum(s.gross_fen)), abs(sum(s.paid_fen))) >= 10000000000000
        AS too_large,
    sum(s.net_fen) AS net_fen, sum(s.tax_fen) AS tax_fen, sum(s.gross_fen) AS gross_fen, sum(s.paid_fen) AS paid_fen,
    encode(sha256(convert_to(string_agg(s.digest, '' ORDER BY s.digest), 'UTF8')), 'hex') AS digest
FROM stage AS s
INNER JOIN repeated AS r ON r.invoice_number = s.invoice_number AND r.held_upload_id = s.held_upload_id
INNER JOIN context AS x ON x.upload_id = s.upload_id
GROUP BY s.invoice_number, s.held_upload_id

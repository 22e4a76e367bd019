-- grain:  the rows of the text table as numbers, invoices and lines, in file order: nothing is checked
INSERT INTO invoice_number (number, company_id, invoice_id)
SELECT f."发票号码", c.party_id, f.row_no
FROM file AS f
INNER JOIN party AS c ON c.uscc = f."用方统一社会信用代码"
ORDER BY f.row_no;

INSERT INTO invoice (
    company_id, invoice_id, number, kind, provider_id, issued_on, received_on, span, contract_no, net_fen, tax_fen,
    gross_fen, evidence, digest, act_id, place
)
SELECT
    c.party_id, f.row_no, f."发票号码", 'blue', p.party_id, CAST(f."开票日期" AS date), DATE '2026-07-15',
    daterange(CAST(f."服务起始日" AS date), CAST(f."服务截止日" AS date), '[]'), f."合同编号",
    CAST(replace(f."不含税金额", '.', '') AS bigint), CAST(replace(f."税额", '.', '') AS bigint),
    CAST(replace(f."价税合计", '.', '') AS bigint), 'template', lpad(CAST(f.row_no AS text), 32, '0'),
    (SELECT max(a.act_id) FROM act AS a), f.row_no
FROM file AS f
INNER JOIN party AS c ON c.uscc = f."用方统一社会信用代码"
INNER JOIN party AS p ON p.uscc = f."供方统一社会信用代码"
ORDER BY f.row_no;

INSERT INTO invoice_line (
    company_id, invoice_id, line_no, tax_code, item, spec, unit, usage_qty, net_fen, rate_bp, tax_fen, gross_fen,
    remark, sheet, row_no, upload_id
)
SELECT
    c.party_id, f.row_no, 1, f."税收分类编码", f."项目名称", f."规格型号", f."计量单位", CAST(f."用量" AS numeric),
    CAST(replace(f."不含税金额", '.', '') AS bigint), 600, CAST(replace(f."税额", '.', '') AS bigint),
    CAST(replace(f."价税合计", '.', '') AS bigint), '', '', f.row_no, 1
FROM file AS f
INNER JOIN party AS c ON c.uscc = f."用方统一社会信用代码"
ORDER BY f.row_no;

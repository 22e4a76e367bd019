-- report: 绩效表
-- grain:  one row per indicator of the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 1
-- basis:  金额不含税；受理按受理日、核定按批准日归入本期
-- columns:
--   indicator | 指标 | text | 30
--   value     | 数值 | figure | 22
--   unit      | 单位 | text | 10
--   note      | 说明 | text | 60
WITH settled AS (
    SELECT l.*, i.taken_on, r.approved_on
    FROM approved_at(CAST(:cutoff AS bigint)) AS r
    INNER JOIN run_line AS l ON l.run_id = r.run_id
    INNER JOIN invoice_at(CAST(:cutoff AS bigint)) AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
    WHERE r.approved_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
),

handed AS (
    SELECT sum(u.rows) AS rows, sum(u.accepted) AS accepted, sum(u.rejected) AS rejected
    FROM upload AS u
    INNER JOIN seal AS s ON s.act_id = u.upload_id AND s.no <= CAST(:cutoff AS bigint)
    WHERE u.holds = 'invoices' AND u.received_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
),

input AS (
    SELECT
        count(DISTINCT i.company_id) AS companies, count(DISTINCT i.provider_id) AS providers,
        count(*) FILTER (WHERE i.kind = 'blue') AS invoices, coalesce(sum(i.net_fen), 0) AS net_fen
    FROM invoice_at(CAST(:cutoff AS bigint)) AS i
    WHERE i.taken_on <@ daterange(CAST(:period_from AS date), CAST(:period_until AS date))
),

output AS (
    SELECT
        count(DISTINCT s.company_id) FILTER (WHERE s.granted_fen > 0) AS companies,
        coalesce(sum(s.granted_fen), 0) AS granted_fen,
        coalesce(sum(s.basis_fen) FILTER (WHERE s.kind = 'grant'), 0) AS basis_fen,
        round(avg(s.approved_on - s.taken_on) FILTER (WHERE s.kind = 'grant'), 1) AS days
    FROM settled AS s
)

SELECT x.indicator, x.value, x.unit, x.note
FROM input AS i
CROSS JOIN output AS o
CROSS JOIN handed AS h
CROSS JOIN LATERAL (
    VALUES
    (1, '申报企业数', i.companies || '', '家', '本期有受理发票的企业'),
    (2, '服务商数', i.providers || '', '家', '本期有受理发票的服务商'),
    (3, '受理蓝字发票', i.invoices || '', '张', ''),
    (4, '算力服务金额', to_char(i.net_fen / 100.0, 'FM999,999,999,999,990.00'), '元', '本期受理发票的不含税金额，红字冲减在内'),
    (5, '获得补贴企业数', o.companies || '', '家', '本期批准批次中核定大于零的企业'),
    (6, '核定补贴额', to_char(o.granted_fen / 100.0, 'FM999,999,999,999,990.00'), '元', '含补付，扣除追回'),
    (
        7, '每元补贴对应的算力服务',
        coalesce(to_char(o.basis_fen / nullif(CAST(o.granted_fen AS numeric), 0), 'FM999,990.00'), '—'), '元',
        '计入基数与核定补贴额之比'
    ),
    (8, '受理至批准平均天数', coalesce(o.days || '', '—'), '天', '本期批准的补贴行'),
    (9, '上传行退回率', coalesce(to_char(h.rejected * 100.0 / nullif(h.rows, 0), 'FM990.00') || '%', '—'), '', '本期上传中退回的行数占比')
) AS x (place, indicator, value, unit, note)
ORDER BY x.place

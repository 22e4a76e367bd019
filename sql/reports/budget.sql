-- report: 预算执行与预测
-- grain:  one row per month of the period's year
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 5, money; the forecast goes on with the mean of the months gone by
-- basis:  补贴额按不含税金额核定；按批准日归入各月；截至截止号
-- sums:   appropriated_fen, granted_fen, recovered_fen, paid_fen
-- note:   各月只列当年办理、属本财政年度指标的金额，年初以前下达的列在1月；次年起才拨付、追回、关账的，见年度决算表和账户余额。
-- note:   追回为已回到指标的金额；已付而企业尚未退回的，见追回台账。
-- note:   预测累计：尚未到的月份按已过月份的月均净核定额推算，只供参考。
-- chart:  line | 指标执行与预测 | month | cum_fen, forecast_fen, budget_fen
-- columns:
--   month            | 月份 | text | 9
--   appropriated_fen | 下达指标 | money | 15
--   budget_fen       | 指标累计 | money | 15
--   granted_fen      | 核定补贴 | money | 15
--   recovered_fen    | 追回 | money | 13
--   cum_fen          | 累计净核定 | money | 15
--   left_fen         | 指标余额 | money | 15
--   paid_fen         | 已付 | money | 15
--   forecast_fen     | 预测累计 | money | 15
--   used_bp          | 执行率 | percent | 9
WITH asked AS (
    SELECT
        CAST(:period_from AS date) AS from_on, CAST(:period_until AS date) AS until_on,
        CAST(:cutoff AS bigint) AS cutoff
),

month AS (
    SELECT
        g.n, make_date(CAST(extract(YEAR FROM q.from_on) AS integer), g.n, 1) AS from_on,
        CAST(make_date(CAST(extract(YEAR FROM q.from_on) AS integer), g.n, 1) + interval '1 month' AS date) AS until_on
    FROM asked AS q
    CROSS JOIN generate_series(1, 12) AS g (n)
),

reached AS (
    SELECT max(t.effective_on) AS on_day
    FROM asked AS q
    INNER JOIN seal AS s ON s.no <= q.cutoff
    INNER JOIN act AS t ON t.act_id = s.act_id
),

flow AS (
    SELECT
        t.effective_on, d.kind AS debit, c.kind AS credit, x.amount_fen AS fen,
        coalesce(r.fiscal_year, c.year, d.year) AS year
    FROM asked AS q
    CROSS JOIN transfer AS x
    INNER JOIN seal AS s ON s.act_id = x.act_id AND s.no <= q.cutoff
    INNER JOIN act AS t ON t.act_id = x.act_id
    INNER JOIN account AS d ON d.account_id = x.debit_account_id AND d.name LIKE 'money:%'
    INNER JOIN account AS c ON c.account_id = x.credit_account_id
    LEFT JOIN run AS r ON r.run_id = x.run_id
),

summed AS (
    SELECT
        m.n, m.from_on, m.until_on,
        coalesce(sum(f.fen) FILTER (WHERE f.debit = 'treasury' AND f.credit = 'appropriation'), 0) AS appropriated_fen,
        coalesce(sum(f.fen) FILTER (WHERE f.debit = 'appropriation' AND f.credit = 'payable'), 0) AS granted_fen,
        coalesce(sum(f.fen) FILTER (
            WHERE f.credit IN ('appropriation', 'returned')
                AND f.debit IN ('payable', 'in_transit', 'paid', 'recoverable')
        ), 0) AS recovered_fen,
        coalesce(sum(f.fen) FILTER (WHERE f.credit = 'paid'), 0)
        - coalesce(sum(f.fen) FILTER (WHERE f.debit = 'paid'), 0) AS paid_fen
    FROM month AS m
    LEFT JOIN flow AS f
        ON
            (f.effective_on >= m.from_on OR m.n = 1) AND f.effective_on < m.until_on
            AND f.year = extract(YEAR FROM m.from_on)
    GROUP BY m.n, m.from_on, m.until_on
),

running AS (
    SELECT
        s.*, sum(s.appropriated_fen) OVER w AS budget_fen, sum(s.granted_fen - s.recovered_fen) OVER w AS cum_fen,
        s.from_on <= r.on_day AS gone,
        sum(CASE WHEN s.from_on <= r.on_day THEN s.granted_fen - s.recovered_fen ELSE 0 END) OVER () AS so_far_fen,
        sum(CASE WHEN s.from_on <= r.on_day THEN 1 ELSE 0 END) OVER () AS months_gone
    FROM summed AS s
    CROSS JOIN reached AS r
    WINDOW w AS (ORDER BY s.n)
)

SELECT
    to_char(r.from_on, 'YYYY-MM') AS month, r.appropriated_fen, r.budget_fen, r.granted_fen, r.recovered_fen,
    CASE WHEN r.gone THEN r.cum_fen END AS cum_fen,
    CASE WHEN r.gone THEN r.budget_fen - r.cum_fen END AS left_fen, r.paid_fen,
    CASE WHEN r.gone THEN r.cum_fen ELSE div(r.so_far_fen * r.n, greatest(r.months_gone, 1)) END AS forecast_fen,
    CASE WHEN r.gone AND r.budget_fen > 0 THEN div(r.cum_fen * 10000, r.budget_fen) END AS used_bp
FROM running AS r
ORDER BY r.n

-- report: 不予支持及核减清单
-- grain:  one row per reason of each line approved in the period, per reason of each invoice handed in in it that has
--         no line for a year because nothing of it is eligible in that year, and per invoice refused at the door in it
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 1, the reason; DESIGN 6.4, no eligible day is no line; DESIGN 7
-- over:   many rows
-- basis:  金额不含税；核减按批准日、不计入和未受理按申报日归入本期
-- sums:   none
-- note:   超过上限、另获补贴、指标不足核减的是补贴额，其余不计入的是不含税服务金额；两种金额不能相加，所以不列合计。
-- note:   环节为核定的，涉及金额是该事由不计入或核减的金额；退回、待核、冲突的列出上传方名称和第一条原因；待核的其后已受理，不再列出，退回的其后改正受理，仍列在这里。
-- note:   环节为不计入的发票已受理，但整张或其中一个年度没有一日或没有一行符合条件，不进入结算；涉及金额按服务日分摊，未减去未付和超过合同、用量的部分（见计算底稿）。
-- columns:
--   company_name   | 企业 | text | 26
--   invoice_number | 发票号码 | id | 22
--   stage          | 环节 | text | 8
--   cut_fen        | 涉及金额 | money | 14
--   reasons        | 事由 | reasons | 80
--   code           | 事由代码 | text | 22
--   company_code   | 企业代码 | id | 20
WITH asked AS (
    SELECT
        CAST(:cutoff AS bigint) AS cutoff,
        daterange(CAST(:period_from AS date), CAST(:period_until AS date)) AS period
),

document AS (
    SELECT
        p.programme_id, p.parameters,
        daterange(
            lower(p.span),
            greatest(lower(p.span), least(upper(p.span), min(lower(n.span)) FILTER (WHERE ns.no <= a.cutoff)))
        ) AS days
    FROM asked AS a
    CROSS JOIN policy AS p
    INNER JOIN seal AS s ON s.act_id = p.act_id AND s.no <= a.cutoff
    LEFT JOIN policy AS n ON n.supersedes = p.policy_id
    LEFT JOIN seal AS ns ON ns.act_id = n.act_id
    GROUP BY p.policy_id
),

in_force AS (
    SELECT d.programme_id, range_agg(d.days) AS days, min(lower(d.days)) AS first_on
    FROM document AS d
    WHERE NOT isempty(d.days)
    GROUP BY d.programme_id
),

better AS (
    SELECT e.* FROM evidence_at((SELECT a.cutoff FROM asked AS a)) AS e
),

red AS (
    SELECT
        r.company_id, r.invoice_id, r.original_number, e.act_id, e.kind,
        r.net_fen + coalesce(e.net_fen, 0) AS net_fen
    FROM invoice_at((SELECT a.cutoff FROM asked AS a)) AS r
    LEFT JOIN better AS e ON e.company_id = r.company_id AND e.invoice_id = r.invoice_id
    WHERE r.kind = 'red'
),

settled AS (
    SELECT l.company_id, l.invoice_id, array_agg(DISTINCT l.cap_year) AS years
    FROM approved_at((SELECT a.cutoff FROM asked AS a)) AS a
    INNER JOIN run_line AS l ON l.run_id = a.run_id
    GROUP BY l.company_id, l.invoice_id
),

bill AS (
    SELECT
        i.company_id, i.invoice_id, i.provider_id, i.number, v.received_on, coalesce(e.span, i.span) AS span,
        e.act_id, e.kind, coalesce(s.years, '{}') AS settled_years,
        greatest(i.net_fen + coalesce(e.net_fen, 0) + coalesce(r.net_fen, 0), 0) AS net_fen
    FROM asked AS a
    CROSS JOIN LATERAL invoice_at(a.cutoff) AS i
    INNER JOIN invoice AS v ON v.company_id = i.company_id AND v.invoice_id = i.invoice_id
    LEFT JOIN better AS e ON e.company_id = i.company_id AND e.invoice_id = i.invoice_id
    LEFT JOIN (
        SELECT d.original_number, sum(d.net_fen) AS net_fen FROM red AS d GROUP BY d.original_number
    ) AS r ON r.original_number = i.number
    LEFT JOIN settled AS s ON s.company_id = i.company_id AND s.invoice_id = i.invoice_id
    WHERE
        i.kind = 'blue' AND v.received_on <@ a.period
        AND coalesce(cardinality(s.years), 0)
        <= extract(YEAR FROM upper(coalesce(e.span, i.span)) - 1) - extract(YEAR FROM lower(coalesce(e.span, i.span)))
),

qualified AS (
    SELECT d.programme_id, q.company_id, range_agg(q.span * d.days) AS days
    FROM qualification_at((SELECT a.cutoff FROM asked AS a)) AS q
    INNER JOIN document AS d ON q.span && d.days AND d.parameters -> 'categories' ->> q.category IS NOT NULL
    GROUP BY d.programme_id, q.company_id
),

listed AS (
    SELECT l.provider_id, range_agg(l.span) AS days
    FROM listing_at((SELECT a.cutoff FROM asked AS a)) AS l
    WHERE NOT isempty(l.span)
    GROUP BY l.provider_id
),

related AS (
    SELECT d.programme_id, r.company_id, r.provider_id, range_agg(r.span * d.days) AS days
    FROM relation_at((SELECT a.cutoff FROM asked AS a)) AS r
    INNER JOIN document AS d
        ON
            r.span && d.days
            AND (
                r.kind = 'common_control'
                OR r.share_bp >= CAST(d.parameters ->> 'related_party_share_bp' AS integer)
            )
    GROUP BY d.programme_id, r.company_id, r.provider_id
),

late AS (
    SELECT h.received_on, d.programme_id, range_agg(d.days * daterange(NULL, make_date(
        CAST(extract(YEAR FROM h.received_on) AS integer)
        - CASE WHEN to_char(h.received_on, 'MM-DD') <= d.parameters ->> 'claim_deadline' THEN 1 ELSE 0 END, 1, 1
    ))) AS days
    FROM (SELECT DISTINCT b.received_on FROM bill AS b) AS h
    CROSS JOIN document AS d
    GROUP BY h.received_on, d.programme_id
),

-- which days of each invoice count under each programme
dated AS (
    SELECT
        b.*, f.programme_id, f.days AS in_force, f.first_on, datemultirange(b.span) AS whole,
        coalesce(q.days, '{}') AS qualified, coalesce(l.days, '{}') AS listed, coalesce(r.days, '{}') AS related,
        datemultirange(b.span) * coalesce(q.days, '{}') * coalesce(l.days, '{}') - coalesce(r.days, '{}') - t.days
            AS days
    FROM bill AS b
    CROSS JOIN in_force AS f
    INNER JOIN late AS t ON t.received_on = b.received_on AND t.programme_id = f.programme_id
    LEFT JOIN qualified AS q ON q.programme_id = f.programme_id AND q.company_id = b.company_id
    LEFT JOIN listed AS l ON l.provider_id = b.provider_id
    LEFT JOIN related AS r
        ON r.programme_id = f.programme_id AND r.company_id = b.company_id AND r.provider_id = b.provider_id
),

-- the papers of each invoice, its red-letters among them, and the lines that count of each
paper AS (
    SELECT
        b.company_id, b.invoice_id, b.company_id AS paper_company_id, b.invoice_id AS paper_id, b.act_id, b.kind
    FROM bill AS b
    UNION ALL
    SELECT b.company_id, b.invoice_id, r.company_id, r.invoice_id, r.act_id, r.kind
    FROM bill AS b
    INNER JOIN red AS r ON r.original_number = b.number
),

line AS (
    SELECT p.company_id, p.invoice_id, l.tax_code, l.net_fen
    FROM paper AS p
    INNER JOIN invoice_line AS l ON l.company_id = p.paper_company_id AND l.invoice_id = p.paper_id
    WHERE p.kind IS NULL
    UNION ALL
    SELECT p.company_id, p.invoice_id, e.tax_code, e.net_fen
    FROM paper AS p
    INNER JOIN evidence_line AS e
        ON
            e.company_id = p.paper_company_id AND e.invoice_id = p.paper_id AND e.act_id = p.act_id
            AND e.kind = p.kind
),

code AS (
    SELECT
        u.tax_code, d.programme_id, d.days,
        (
            SELECT count(*) > 0 FROM jsonb_array_elements_text(d.parameters -> 'eligible_tax_codes') AS p (prefix)
            WHERE starts_with(u.tax_code, p.prefix)
        ) AS eligible
    FROM (SELECT DISTINCT l.tax_code FROM line AS l) AS u
    CROSS JOIN document AS d
),

-- which lines do, by the document in force on the first eligible day, else on the first service day that has one
weighed AS (
    SELECT
        t.company_id, t.invoice_id, t.programme_id, bool_or(c.eligible) AS eligible,
        greatest(coalesce(sum(l.net_fen) FILTER (WHERE NOT c.eligible), 0), 0) AS excluded_fen
    FROM dated AS t
    INNER JOIN line AS l ON l.company_id = t.company_id AND l.invoice_id = t.invoice_id
    LEFT JOIN code AS c
        ON
            c.tax_code = l.tax_code AND c.programme_id = t.programme_id
            AND c.days @> CASE WHEN isempty(t.days) THEN lower(t.in_force * t.whole) ELSE lower(t.days) END
    GROUP BY t.company_id, t.invoice_id, t.programme_id
),

-- the years of each invoice that have no line and nothing that one could be made of
without AS (
    SELECT w.company_id, w.invoice_id, y.days
    FROM weighed AS w
    INNER JOIN dated AS t
        ON t.company_id = w.company_id AND t.invoice_id = w.invoice_id AND t.programme_id = w.programme_id
    CROSS JOIN LATERAL (
        SELECT g.year, datemultirange(daterange(make_date(g.year, 1, 1), make_date(g.year + 1, 1, 1))) AS days
        FROM generate_series(
            CAST(extract(YEAR FROM lower(t.span)) AS integer), CAST(extract(YEAR FROM upper(t.span) - 1) AS integer)
        ) AS g (year)
    ) AS y
    WHERE y.year <> ALL(t.settled_years)
    GROUP BY w.company_id, w.invoice_id, y.days
    HAVING bool_and(isempty(t.days * y.days) OR NOT coalesce(w.eligible, FALSE))
),

-- those of which no year has
nothing AS (
    SELECT w.company_id, w.invoice_id
    FROM weighed AS w
    INNER JOIN dated AS t
        ON t.company_id = w.company_id AND t.invoice_id = w.invoice_id AND t.programme_id = w.programme_id
    GROUP BY w.company_id, w.invoice_id
    HAVING bool_and(t.settled_years = '{}' AND (isempty(t.days) OR NOT coalesce(w.eligible, FALSE)))
),

piece AS (
    SELECT
        t.company_id, t.invoice_id, t.programme_id, r.code, greatest(t.net_fen - w.excluded_fen, 0) AS basis_fen,
        lower(x.days) - lower(t.span) AS before, upper(x.days) - lower(t.span) AS until,
        upper(t.span) - lower(t.span) AS n
    FROM without AS o
    INNER JOIN dated AS t ON t.company_id = o.company_id AND t.invoice_id = o.invoice_id
    INNER JOIN weighed AS w
        ON w.company_id = t.company_id AND w.invoice_id = t.invoice_id AND w.programme_id = t.programme_id
    CROSS JOIN LATERAL (
        VALUES
        ('before_policy', (t.whole - t.in_force) * datemultirange(daterange(NULL, t.first_on))),
        ('after_policy', (t.whole - t.in_force) - datemultirange(daterange(NULL, t.first_on))),
        ('not_qualified', t.whole * t.in_force - t.qualified),
        ('not_listed', t.whole * t.qualified - t.listed),
        ('related_party', t.whole * t.qualified * t.listed * t.related),
        ('past_claim_deadline', t.whole * t.qualified * t.listed - t.related - t.days)
    ) AS r (code, days)
    CROSS JOIN LATERAL unnest(r.days * o.days) AS x (days)
),

-- what several programmes leave out for the same reason is told once
uneligible AS (
    SELECT s.company_id, s.invoice_id, s.code, CAST(max(s.amount_fen) AS bigint) AS amount_fen
    FROM (
        SELECT
            p.company_id, p.invoice_id, p.programme_id, p.code,
            sum(div(CAST(p.basis_fen AS numeric) * p.until, p.n) - div(CAST(p.basis_fen AS numeric) * p.before, p.n))
                AS amount_fen
        FROM piece AS p
        GROUP BY p.company_id, p.invoice_id, p.programme_id, p.code
        UNION ALL
        SELECT w.company_id, w.invoice_id, w.programme_id, 'tax_code_not_eligible', w.excluded_fen
        FROM nothing AS o
        INNER JOIN weighed AS w ON w.company_id = o.company_id AND w.invoice_id = o.invoice_id
    ) AS s
    WHERE s.amount_fen > 0
    GROUP BY s.company_id, s.invoice_id, s.code
),

known AS (
    SELECT i.number FROM invoice_at((SELECT a.cutoff FROM asked AS a)) AS i
),

refused AS (
    SELECT
        u.upload_id, u.provider_uscc, r.sheet, r.row_no, r.invoice_number, r.outcome, min(p.message) AS message,
        (array_agg(p.code ORDER BY p.message))[1] AS code
    FROM asked AS a
    CROSS JOIN upload AS u
    INNER JOIN seal AS s ON s.act_id = u.upload_id AND s.no <= a.cutoff
    INNER JOIN upload_row AS r ON r.upload_id = u.upload_id AND r.outcome <> 'duplicate'
    LEFT JOIN upload_problem AS p
        ON p.upload_id = r.upload_id AND p.sheet = r.sheet AND p.row_no = r.row_no AND p.severity = 'error'
    LEFT JOIN known AS k ON k.number = r.invoice_number
    WHERE u.holds = 'invoices' AND u.received_on <@ a.period AND (r.outcome <> 'held' OR k.number IS NULL)
    GROUP BY u.upload_id, r.sheet, r.row_no, r.invoice_number, r.outcome
)

SELECT
    c.name AS company_name, i.number AS invoice_number, '核定' AS stage,
    CAST(e.reason ->> 'amount_fen' AS bigint) AS cut_fen, CAST(jsonb_build_array(e.reason) AS text) AS reasons,
    e.reason ->> 'code' AS code, c.uscc AS company_code
FROM asked AS q
CROSS JOIN LATERAL approved_at(q.cutoff) AS a
INNER JOIN run_line AS l ON l.run_id = a.run_id
CROSS JOIN LATERAL jsonb_array_elements(l.reasons) AS e (reason)
INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
INNER JOIN party_at(q.cutoff) AS c ON c.party_id = l.company_id
WHERE a.approved_on <@ q.period
UNION ALL
SELECT
    c.name, b.number, '不计入', u.amount_fen,
    CAST(jsonb_build_array(jsonb_build_object('code', u.code, 'amount_fen', u.amount_fen)) AS text), u.code, c.uscc
FROM uneligible AS u
INNER JOIN bill AS b ON b.company_id = u.company_id AND b.invoice_id = u.invoice_id
INNER JOIN party_at((SELECT a.cutoff FROM asked AS a)) AS c ON c.party_id = u.company_id
UNION ALL
SELECT
    coalesce(h.name, ''), r.invoice_number,
    CASE r.outcome WHEN 'held' THEN '待核' WHEN 'conflict' THEN '冲突' ELSE '退回' END, NULL, r.message,
    coalesce(r.code, ''), ''
FROM refused AS r
LEFT JOIN party_at((SELECT a.cutoff FROM asked AS a)) AS h ON h.uscc = r.provider_uscc
ORDER BY stage, company_name, invoice_number, reasons

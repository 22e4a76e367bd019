-- report: 月度对账表
-- grain:  one row per provider and company of the period; the sheets after it hold the same figures per provider
--         and per company, the totals row all of them; the control row has the ledger's own figures for the totals
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- checks: all
-- source: DESIGN 6.6 (room), 7 (outcomes of rows) and 5 (payable)
-- basis:  金额不含税；上传与受理按申报日、核定按批准日归入本期；各项状态截至截止号
-- note:   上传至受理金额各列按申报日在本期内的上传统计，其中待核行其后经另一次上传受理的，计入重复。
-- note:   受理金额按截止号时为准的单据计：经核定改以另一份单据为准的，按那份单据的金额。
-- note:   计入基数至补付与追回各列按批准日在本期内的结算批次统计；计算额减三项核减等于核定补贴额，补付为正、追回为负。
-- note:   年度剩余额度为{year}年度算力券在截止号时的余额，尚未发券的按年度上限计，当年无资格的留空；列于每家企业首行，不重复计。
-- note:   未付金额：截止号时已核定而尚未拨付的金额，含以往各期。
-- balance: uploaded = accepted + duplicate + conflict + rejected + held
-- balance: computed_fen = overlap_cut_fen + withheld_fen + budget_cut_fen + granted_fen
-- columns:
--   company_name    | 企业         | text  | 28
--   provider_name   | 服务商       | text  | 22
--   uploaded        | 上传行数     | count | 6
--   accepted        | 受理行数     | count | 6
--   duplicate       | 重复行数     | count | 6
--   conflict        | 冲突行数     | count | 6
--   rejected        | 退回行数     | count | 6
--   held            | 待核行数     | count | 6
--   invoices        | 受理发票张数 | count | 7
--   net_fen         | 受理金额     | money | 14
--   basis_fen       | 计入基数     | money | 14
--   computed_fen    | 计算额       | money | 13
--   overlap_cut_fen | 重复享受核减 | money | 11
--   withheld_fen    | 上限核减     | money | 12
--   budget_cut_fen  | 指标核减     | money | 11
--   granted_fen     | 核定补贴额   | money | 13
--   adjusted_fen    | 补付与追回   | money | 11
--   room_fen        | 年度剩余额度 | money | 13
--   payable_fen     | 未付金额     | money | 13
--   company_code    | 企业代码     | id    | 19
--   provider_code   | 服务商代码   | id    | 19
WITH asked AS (
    SELECT
        CAST(:period_from AS date) AS from_on, CAST(:period_until AS date) AS until_on,
        CAST(:cutoff AS bigint) AS cutoff, CAST(extract(YEAR FROM CAST(:period_from AS date)) AS integer) AS year
),

handed AS (
    SELECT
        u.upload_id, u.provider_uscc, u.rows, u.accepted, u.conflict, u.rejected,
        string_to_array(translate(u.header, ' *＊', ''), chr(31)) AS header
    FROM asked AS a
    INNER JOIN upload AS u
    ON u.holds = 'invoices' AND u.received_on >= a.from_on AND u.received_on < a.until_on
    INNER JOIN seal AS s ON s.act_id = u.upload_id AND s.no <= a.cutoff
),

taken AS (
    SELECT
        i.provider_id, i.company_id, count(*) AS accepted, count(*) FILTER (WHERE l.line_no = 1) AS invoices,
        sum(l.net_fen) + coalesce(sum(d.net_fen - i.net_fen) FILTER (WHERE l.line_no = 1), 0) AS net_fen,
        count(*) FILTER (WHERE i.act_id <> l.upload_id) AS accepted_later
    FROM handed AS h
    INNER JOIN invoice_line AS l ON l.upload_id = h.upload_id
    INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
    INNER JOIN seal AS s ON s.act_id = i.act_id
    LEFT JOIN resolution_at((SELECT q.cutoff FROM asked AS q)) AS d
        ON d.company_id = i.company_id AND d.invoice_id = i.invoice_id
    WHERE s.no <= (SELECT q.cutoff FROM asked AS q)
    GROUP BY i.provider_id, i.company_id
),

known AS (
    SELECT i.number, i.company_id, i.invoice_id, c.uscc AS company_code, p.uscc AS provider_code
    FROM invoice AS i
    INNER JOIN seal AS s ON s.act_id = i.act_id
    INNER JOIN party AS c ON c.party_id = i.company_id
    INNER JOIN party AS p ON p.party_id = i.provider_id
    WHERE
        s.no <= (SELECT q.cutoff FROM asked AS q)
        AND i.number IN (
            SELECT r.invoice_number FROM handed AS h INNER JOIN upload_row AS r ON r.upload_id = h.upload_id
        )
),

-- rows that were not accepted: who is meant is read from the row as uploaded, by the names of its header
refused AS (
    SELECT
        CASE WHEN r.outcome = 'held' AND k.number IS NOT NULL THEN 'duplicate' ELSE r.outcome END AS outcome,
        h.provider_uscc, k.provider_code AS known_provider, k.company_code AS known_company,
        upper(translate(x.cells[coalesce(
            array_position(h.header, '供方统一社会信用代码'), array_position(h.header, '销方识别号')
        )], ' 　', '')) AS seller,
        upper(translate(x.cells[coalesce(
            array_position(h.header, '用方统一社会信用代码'), array_position(h.header, '购方识别号')
        )], ' 　', '')) AS buyer,
        btrim(x.cells[coalesce(array_position(h.header, '用方名称'), array_position(h.header, '购买方名称'))]) AS buyer_name
    FROM handed AS h
    INNER JOIN upload_row AS r ON r.upload_id = h.upload_id
    CROSS JOIN LATERAL (SELECT string_to_array(r.cells, chr(31)) AS cells) AS x
    LEFT JOIN known AS k ON k.number = r.invoice_number
    WHERE
        r.outcome NOT IN ('held', 'conflict') OR k.number IS NULL OR NOT EXISTS (
            SELECT FROM invoice_line AS l
            WHERE
                l.company_id = k.company_id AND l.invoice_id = k.invoice_id
                AND l.upload_id = r.upload_id AND l.sheet = r.sheet AND l.row_no = r.row_no
        )
),

meant AS (
    SELECT
        r.outcome,
        coalesce(
            nullif(r.provider_uscc, ''), CASE WHEN r.seller ~ '^[0-9A-Z]{18}$' THEN r.seller END, r.known_provider, ''
        ) AS provider_code,
        coalesce(CASE WHEN r.buyer ~ '^[0-9A-Z]{18}$' THEN r.buyer END, r.known_company, '') AS company_code,
        coalesce(r.buyer_name, '') AS buyer_name
    FROM refused AS r
),

approved AS (
    SELECT r.run_id, d.act_id
    FROM asked AS a
    INNER JOIN act AS t ON t.effective_on >= a.from_on AND t.effective_on < a.until_on
    INNER JOIN seal AS s ON s.act_id = t.act_id AND s.no <= a.cutoff
    INNER JOIN decision AS d ON d.act_id = t.act_id AND d.verdict = 'approved'
    INNER JOIN run AS r ON r.proposal_act_id = d.proposal_act_id
),

settled AS (
    SELECT
        i.provider_id, l.company_id,
        sum(l.basis_fen) FILTER (WHERE l.kind = 'grant') AS basis_fen,
        sum(l.computed_fen) FILTER (WHERE l.kind = 'grant') AS computed_fen,
        sum(l.overlap_cut_fen) FILTER (WHERE l.kind = 'grant') AS overlap_cut_fen,
        sum(l.withheld_fen) FILTER (WHERE l.kind = 'grant') AS withheld_fen,
        sum(l.budget_cut_fen) FILTER (WHERE l.kind = 'grant') AS budget_cut_fen,
        sum(l.granted_fen) FILTER (WHERE l.kind = 'grant') AS granted_fen,
        sum(l.granted_fen) FILTER (WHERE l.kind <> 'grant') AS adjusted_fen
    FROM approved AS a
    INNER JOIN run_line AS l ON l.run_id = a.run_id
    INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
    GROUP BY i.provider_id, l.company_id
),

moved AS (
    SELECT
        t.company_id, t.run_id, t.line_no, t.amount_fen AS fen, t.debit_account_id, t.credit_account_id,
        p.act_id IS NOT NULL AS in_period
    FROM transfer AS t
    INNER JOIN seal AS s ON s.act_id = t.act_id
    LEFT JOIN approved AS p ON p.act_id = t.act_id
    WHERE s.no <= (SELECT q.cutoff FROM asked AS q)
),

payable AS (
    SELECT a.company_id AS payee_id, m.company_id, m.run_id, m.line_no, m.fen
    FROM moved AS m
    INNER JOIN account AS a ON a.account_id = m.credit_account_id AND a.kind = 'payable'
    UNION ALL
    SELECT a.company_id, m.company_id, m.run_id, m.line_no, -m.fen
    FROM moved AS m
    INNER JOIN account AS a ON a.account_id = m.debit_account_id AND a.kind = 'payable'
),

owed AS (
    SELECT i.provider_id, m.payee_id AS company_id, sum(m.fen) AS payable_fen
    FROM payable AS m
    LEFT JOIN run_line AS l ON l.company_id = m.company_id AND l.run_id = m.run_id AND l.line_no = m.line_no
    LEFT JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
    GROUP BY i.provider_id, m.payee_id
    HAVING sum(m.fen) <> 0
),

figures AS (
    SELECT
        p.uscc AS provider_code, c.uscc AS company_code, '' AS buyer_name, company_id, t.accepted, t.invoices,
        t.net_fen, s.basis_fen, s.computed_fen, s.overlap_cut_fen, s.withheld_fen, s.budget_cut_fen, s.granted_fen,
        s.adjusted_fen, o.payable_fen
    FROM taken AS t
    FULL JOIN settled AS s USING (provider_id, company_id)
    FULL JOIN owed AS o USING (provider_id, company_id)
    LEFT JOIN party AS p ON p.party_id = provider_id
    LEFT JOIN party AS c ON c.party_id = company_id
),

counted AS (
    SELECT
        m.provider_code, m.company_code, c.party_id AS company_id,
        CASE WHEN c.party_id IS NULL THEN m.buyer_name ELSE '' END AS buyer_name,
        count(*) FILTER (WHERE m.outcome = 'duplicate') AS duplicate,
        count(*) FILTER (WHERE m.outcome = 'conflict') AS conflict,
        count(*) FILTER (WHERE m.outcome = 'rejected') AS rejected,
        count(*) FILTER (WHERE m.outcome = 'held') AS held
    FROM meant AS m
    LEFT JOIN party AS c ON c.uscc = m.company_code
    GROUP BY m.provider_code, m.company_code, c.party_id, CASE WHEN c.party_id IS NULL THEN m.buyer_name ELSE '' END
),

pair AS (
    SELECT
        coalesce(provider_code, '') AS provider_code, coalesce(company_code, '') AS company_code, buyer_name,
        coalesce(f.company_id, c.company_id) AS company_id, f.accepted, c.duplicate, c.conflict, c.rejected, c.held,
        f.invoices, f.net_fen, f.basis_fen, f.computed_fen, f.overlap_cut_fen, f.withheld_fen, f.budget_cut_fen,
        f.granted_fen, f.adjusted_fen, f.payable_fen
    FROM figures AS f
    FULL JOIN counted AS c USING (provider_code, company_code, buyer_name)
),

document AS (
    SELECT
        p.policy_id, p.programme_id, p.parameters,
        daterange(lower(p.span), least(upper(p.span), min(lower(n.span)) FILTER (WHERE ns.no <= a.cutoff)))
        * daterange(make_date(a.year, 1, 1), make_date(a.year + 1, 1, 1)) AS days
    FROM asked AS a
    CROSS JOIN policy AS p
    INNER JOIN seal AS s ON s.act_id = p.act_id AND s.no <= a.cutoff
    LEFT JOIN policy AS n ON n.supersedes = p.policy_id
    LEFT JOIN seal AS ns ON ns.act_id = n.act_id
    GROUP BY p.policy_id, a.year
),

-- a year's cap is that of the document in force on its last covered day
cap AS (
    SELECT DISTINCT ON (d.programme_id)
        d.programme_id, d.days, d.parameters, CAST(d.parameters ->> 'annual_cap_fen' AS bigint) AS cap_fen
    FROM document AS d
    WHERE NOT isempty(d.days)
    ORDER BY d.programme_id, upper(d.days) DESC
),

unissued AS (
    SELECT DISTINCT k.programme_id, q.company_id, k.cap_fen
    FROM cap AS k
    INNER JOIN document AS d ON d.programme_id = k.programme_id
    INNER JOIN qualification_at((SELECT q.cutoff FROM asked AS q)) AS q
        ON q.span && d.days AND d.parameters -> 'categories' ->> q.category IS NOT NULL
    WHERE
        k.parameters ->> 'issuance' = 'automatic'
        AND q.company_id IN (SELECT p.company_id FROM pair AS p)
        AND NOT EXISTS (
            SELECT FROM voucher AS v
            INNER JOIN seal AS s ON s.act_id = v.act_id
            WHERE
                v.programme_id = k.programme_id AND v.company_id = q.company_id
                AND v.cap_year = (SELECT q.year FROM asked AS q) AND s.no <= (SELECT q.cutoff FROM asked AS q)
        )
),

voucher_left AS (
    SELECT a.company_id, m.fen
    FROM moved AS m
    INNER JOIN account AS a ON a.account_id = m.credit_account_id AND a.kind = 'voucher'
    WHERE a.year = (SELECT q.year FROM asked AS q)
    UNION ALL
    SELECT a.company_id, -m.fen
    FROM moved AS m
    INNER JOIN account AS a ON a.account_id = m.debit_account_id AND a.kind = 'voucher'
    WHERE a.year = (SELECT q.year FROM asked AS q)
),

room AS (
    SELECT r.company_id, sum(r.fen) AS room_fen
    FROM (
        SELECT v.company_id, v.fen FROM voucher_left AS v
        UNION ALL
        SELECT u.company_id, u.cap_fen FROM unissued AS u
    ) AS r
    GROUP BY r.company_id
),

named AS (
    SELECT
        coalesce(p.provider_code, '') AS provider_code, c.uscc AS known_code,
        coalesce(p.company_code, c.uscc) AS company_code,
        CASE
            WHEN p.provider_code IS NULL THEN '（本期无业务）'
            ELSE coalesce(pn.name, nullif(p.provider_code, ''), '（未对应服务商）')
        END AS provider_name,
        coalesce(
            cn.name, CASE WHEN c.uscc IS NULL AND p.company_code <> '' THEN p.buyer_name || '（未登记）' END,
            CASE p.buyer_name WHEN '' THEN '未识别企业' ELSE p.buyer_name || '（未识别企业）' END
        ) AS company_name,
        coalesce(p.company_code, c.uscc) || coalesce(p.buyer_name, '') AS company_key,
        p.accepted, p.duplicate, p.conflict, p.rejected, p.held, p.invoices, p.net_fen, p.basis_fen, p.computed_fen,
        p.overlap_cut_fen, p.withheld_fen, p.budget_cut_fen, p.granted_fen, p.adjusted_fen, p.payable_fen,
        CASE
            WHEN row_number() OVER (PARTITION BY r.company_id ORDER BY p.provider_code) = 1 THEN r.room_fen
        END AS room_fen
    FROM pair AS p
    FULL JOIN room AS r ON r.company_id = p.company_id
    LEFT JOIN party AS c ON c.party_id = coalesce(p.company_id, r.company_id)
    LEFT JOIN party_name_at((SELECT q.cutoff FROM asked AS q)) AS cn ON cn.party_id = c.party_id
    LEFT JOIN party AS e ON e.uscc = p.provider_code
    LEFT JOIN party_name_at((SELECT q.cutoff FROM asked AS q)) AS pn ON pn.party_id = e.party_id
),

summed AS (
    SELECT
        grouping(n.company_key) + 2 * grouping(n.provider_code) AS level,
        n.provider_code, n.provider_name, n.company_code, n.company_name,
        coalesce(sum(n.accepted), 0) + coalesce(sum(n.duplicate), 0) + coalesce(sum(n.conflict), 0)
        + coalesce(sum(n.rejected), 0) + coalesce(sum(n.held), 0) AS uploaded,
        coalesce(sum(n.accepted), 0) AS accepted, coalesce(sum(n.duplicate), 0) AS duplicate,
        coalesce(sum(n.conflict), 0) AS conflict, coalesce(sum(n.rejected), 0) AS rejected,
        coalesce(sum(n.held), 0) AS held, coalesce(sum(n.invoices), 0) AS invoices,
        coalesce(sum(n.net_fen), 0) AS net_fen, coalesce(sum(n.basis_fen), 0) AS basis_fen,
        coalesce(sum(n.computed_fen), 0) AS computed_fen, coalesce(sum(n.overlap_cut_fen), 0) AS overlap_cut_fen,
        coalesce(sum(n.withheld_fen), 0) AS withheld_fen, coalesce(sum(n.budget_cut_fen), 0) AS budget_cut_fen,
        coalesce(sum(n.granted_fen), 0) AS granted_fen, coalesce(sum(n.adjusted_fen), 0) AS adjusted_fen,
        CASE WHEN grouping(n.company_key) = 0 OR grouping(n.provider_code) = 1 THEN sum(n.room_fen) END AS room_fen,
        coalesce(sum(n.payable_fen), 0) AS payable_fen
    FROM named AS n
    GROUP BY GROUPING SETS (
        (n.provider_code, n.provider_name, n.company_key, n.company_code, n.company_name),
        (n.provider_code, n.provider_name),
        (n.company_key, n.company_code, n.company_name),
        ()
    )
),

-- the same sums by another way: the uploads' own counts, the runs' lines, and the accounts alone
booked AS (
    SELECT
        sum(CASE c.kind WHEN 'payable' THEN m.fen ELSE 0 END) - sum(CASE d.kind WHEN 'payable' THEN m.fen ELSE 0 END)
            AS payable_fen,
        sum(CASE WHEN c.kind = 'redeemed' AND m.in_period THEN m.fen ELSE 0 END)
        - sum(CASE WHEN d.kind = 'redeemed' AND m.in_period THEN m.fen ELSE 0 END) AS redeemed_fen
    FROM moved AS m
    INNER JOIN account AS d ON d.account_id = m.debit_account_id
    INNER JOIN account AS c ON c.account_id = m.credit_account_id
),

control AS (
    SELECT
        (SELECT coalesce(sum(h.rows), 0) FROM handed AS h) AS uploaded,
        (SELECT coalesce(sum(h.accepted), 0) FROM handed AS h)
        + (SELECT coalesce(sum(t.accepted_later), 0) FROM taken AS t) AS accepted,
        (SELECT coalesce(sum(h.conflict), 0) FROM handed AS h) AS conflict,
        (SELECT coalesce(sum(h.rejected), 0) FROM handed AS h) AS rejected,
        coalesce(sum(l.basis_fen) FILTER (WHERE l.kind = 'grant'), 0) AS basis_fen,
        coalesce(sum(l.computed_fen) FILTER (WHERE l.kind = 'grant'), 0) AS computed_fen,
        coalesce(sum(l.withheld_fen) FILTER (WHERE l.kind = 'grant'), 0) AS withheld_fen,
        (SELECT coalesce(b.redeemed_fen, 0) FROM booked AS b)
        - coalesce(sum(l.granted_fen) FILTER (WHERE l.kind <> 'grant'), 0) AS granted_fen,
        (SELECT coalesce(sum(r.room_fen), 0) FROM room AS r) AS room_fen,
        (SELECT coalesce(b.payable_fen, 0) FROM booked AS b) AS payable_fen
    FROM approved AS a
    INNER JOIN run_line AS l ON l.run_id = a.run_id
)

SELECT
    CASE m.level WHEN 3 THEN 'total' ELSE 'row' END AS row_kind,
    (ARRAY['明细', '按服务商', '按企业'])[m.level + 1] AS sheet,
    row_number() OVER (
        ORDER BY m.level, nullif(m.company_code, ''), m.company_name, m.provider_code, m.provider_name
    ) AS place,
    m.*
FROM summed AS m
WHERE m.level <> 1 OR m.provider_name <> '（本期无业务）'
UNION ALL
SELECT
    'control', NULL, NULL, NULL, NULL, NULL, NULL, NULL, c.uploaded, c.accepted, NULL, c.conflict, c.rejected, NULL,
    NULL, NULL, c.basis_fen, c.computed_fen, NULL, c.withheld_fen, NULL, c.granted_fen, NULL, c.room_fen, c.payable_fen
FROM control AS c
ORDER BY place

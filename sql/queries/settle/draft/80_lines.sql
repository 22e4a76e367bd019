-- grain:  inserts the draft's lines, numbered by company, cap year, kind and acceptance; and what it lists beside
--         them: held claims, and backfill that was not asked for
-- params: run_id
-- source: DESIGN 6.5 (overlap) and 6.6: recovery frees room, then backfill, then new claims, each in acceptance order:
--         least(cum, room) - least(cum - wanted, room); what a frozen voucher would backfill is only held.
--         No product overflows a bigint: an amount is below 10^13 fen, a rate at most 10^4.
-- OFFSET 0 has a step computed once, where the planner would repeat its expressions in every later one.
WITH claim AS (
    SELECT
        b.company_id, b.invoice_id, b.cap_year, b.accepted_no, b.doc_no,
        coalesce(m.basis_fen, greatest(b.net_fen, 0)) AS basis_fen,
        CAST(NULL AS bigint) AS computed_fen, b.other_fen, CAST(NULL AS text[]) AS policy_ids,
        CASE WHEN NOT coalesce(m.outside, FALSE) THEN b.last_on END AS last_on
    FROM bill AS b
    LEFT JOIN limited AS m ON m.company_id = b.company_id AND m.invoice_id = b.invoice_id
    WHERE b.doc_no IS NOT NULL
    UNION ALL
    SELECT
        p.company_id, p.invoice_id, p.cap_year, p.accepted_no, p.doc_no, p.basis_fen, p.computed_fen, p.other_fen,
        p.policy_ids, p.last_on
    FROM part AS p
),

-- new claims of the months asked for (last_on is null without any line of the programme), and all settled before
met AS (
    SELECT
        coalesce(c.company_id, s.company_id) AS company_id,
        coalesce(c.invoice_id, s.invoice_id) AS invoice_id,
        coalesce(c.cap_year, s.cap_year) AS cap_year,
        coalesce(c.accepted_no, s.accepted_no) AS accepted_no,
        coalesce(c.policy_ids, d.policy_ids, s.policy_ids) AS policy_ids,
        coalesce(c.basis_fen, 0) AS basis_fen,
        coalesce(c.computed_fen, c.basis_fen * d.rate_bp / 10000, 0) AS computed_fen,
        coalesce(c.other_fen, 0) AS other_fen,
        s.granted_fen AS settled_fen, s.served_fen, d.overlap, d.joint_limit_bp,
        f.invoice_id IS NOT NULL AS refused,
        coalesce(d.verify AND s.granted_fen IS NULL AND k.invoice_id IS NULL, FALSE) AS unverified,
        CASE WHEN d.same_usage AND s.granted_fen IS NULL THEN g.differing_fen END AS differing_fen
    FROM claim AS c
    FULL JOIN served AS s
        ON s.company_id = c.company_id AND s.invoice_id = c.invoice_id AND s.cap_year = c.cap_year
    LEFT JOIN doc AS d ON d.doc_no = c.doc_no
    LEFT JOIN refused AS f
        ON f.company_id = coalesce(c.company_id, s.company_id) AND f.invoice_id = coalesce(c.invoice_id, s.invoice_id)
        AND f.cap_year = coalesce(c.cap_year, s.cap_year)
    LEFT JOIN verified AS k ON k.company_id = c.company_id AND k.invoice_id = c.invoice_id
    LEFT JOIN metered AS g ON g.company_id = c.company_id AND g.invoice_id = c.invoice_id
    WHERE s.granted_fen IS NOT NULL OR c.last_on <= (SELECT a.through_on FROM asked AS a)
    OFFSET 0 -- noqa: AM09
),

-- other_fen matters here only: what is left of a claim after other subsidies
compared AS (
    SELECT
        m.*, r.room_fen, r.frozen, r.closed, t.spend_fen,
        CASE
            WHEN m.overlap = 'joint_limit'
                THEN least(m.computed_fen, greatest(0, m.basis_fen * m.joint_limit_bp / 10000 - m.other_fen))
            WHEN m.other_fen = 0 THEN m.computed_fen
            WHEN m.overlap = 'top_up' THEN greatest(0, m.computed_fen - m.other_fen)
            WHEN m.other_fen >= m.computed_fen THEN 0
            WHEN m.settled_fen IS NULL THEN m.computed_fen
            ELSE least(m.computed_fen, m.settled_fen)
        END AS left_fen,
        m.other_fen > 0 AND m.other_fen < m.computed_fen AND m.overlap = 'exclusive' AND NOT m.refused AS undecided
    FROM met AS m
    INNER JOIN room AS r ON r.company_id = m.company_id AND r.cap_year = m.cap_year
    LEFT JOIN short AS t ON t.company_id = m.company_id AND t.cap_year = m.cap_year
    OFFSET 0 -- noqa: AM09
),

-- cuts: why the worth is below what was computed; holds: what a claim waits for, or why it is not paid (overlap_open)
valued AS (
    SELECT
        c.*,
        CASE WHEN c.refused OR (c.spend_fen IS NOT NULL AND c.settled_fen IS NOT NULL) THEN 0 ELSE c.left_fen END
            AS worth_fen,
        CASE WHEN c.left_fen < c.computed_fen THEN jsonb_build_array(jsonb_build_object(
            'code', 'other_subsidy', 'amount_fen', c.computed_fen - c.left_fen, 'other_fen', c.other_fen
        )) END AS overlap_cut,
        CASE
            WHEN c.left_fen = 0 THEN NULL
            WHEN c.refused
                THEN jsonb_build_array(jsonb_build_object('code', 'refused', 'amount_fen', c.left_fen))
            WHEN c.spend_fen IS NOT NULL AND c.settled_fen IS NOT NULL THEN jsonb_build_array(jsonb_build_object(
                'code', 'below_min_spend', 'amount_fen', c.left_fen, 'other_fen', c.spend_fen
            ))
        END AS other_cut,
        CASE
            WHEN
                c.undecided OR c.unverified OR c.differing_fen IS NOT NULL
                OR (c.spend_fen IS NOT NULL AND c.settled_fen IS NULL)
                THEN
                CASE WHEN c.undecided THEN jsonb_build_array(jsonb_build_object(
                    'code', CASE WHEN c.settled_fen IS NULL THEN 'other_subsidy_undecided' ELSE 'overlap_open' END,
                    'amount_fen', coalesce(c.settled_fen, c.computed_fen), 'other_fen', c.other_fen
                )) ELSE jsonb '[]' END
                || CASE
                    WHEN c.spend_fen IS NOT NULL AND c.settled_fen IS NULL THEN jsonb_build_array(jsonb_build_object(
                        'code', 'below_min_spend', 'amount_fen', CASE WHEN c.refused THEN 0 ELSE c.left_fen END,
                        'other_fen', c.spend_fen
                    ))
                    ELSE jsonb '[]'
                END
                || CASE WHEN c.unverified THEN jsonb_build_array(jsonb_build_object(
                    'code', 'not_verified', 'amount_fen', CASE WHEN c.refused THEN 0 ELSE c.left_fen END
                )) ELSE jsonb '[]' END
                || CASE WHEN c.differing_fen IS NOT NULL THEN jsonb_build_array(jsonb_build_object(
                    'code', 'usage_sum_differs', 'amount_fen', CASE WHEN c.refused THEN 0 ELSE c.left_fen END,
                    'other_fen', c.differing_fen
                )) ELSE jsonb '[]' END
        END AS holds
    FROM compared AS c
    OFFSET 0 -- noqa: AM09
),

-- phase 0 is recovery, 1 backfill, 2 grant; a new claim that waits for a person wants nothing
asking AS (
    SELECT
        v.company_id, v.cap_year, v.accepted_no, v.invoice_id, v.policy_ids, v.basis_fen, v.computed_fen, v.worth_fen,
        v.settled_fen, v.frozen, v.room_fen, v.holds, coalesce(v.overlap_cut || v.other_cut, v.overlap_cut, v.other_cut)
            AS cuts,
        CASE WHEN v.settled_fen IS NULL THEN 2 WHEN v.settled_fen > v.worth_fen THEN 0 ELSE 1 END AS phase,
        v.settled_fen IS NULL AND (v.frozen OR v.holds IS NOT NULL) AS waits,
        CASE
            WHEN v.settled_fen IS NOT NULL THEN greatest(0, v.worth_fen - v.served_fen)
            WHEN v.frozen OR v.holds IS NOT NULL THEN 0
            ELSE v.worth_fen
        END AS wanted_fen,
        CASE WHEN v.settled_fen > v.worth_fen AND NOT v.closed THEN v.settled_fen - v.worth_fen ELSE 0 END AS freed_fen
    FROM valued AS v
    OFFSET 0 -- noqa: AM09
),

queued AS (
    SELECT q.*, CAST(sum(q.wanted_fen - q.freed_fen) OVER w AS bigint) AS cum_fen
    FROM asking AS q
    WINDOW w AS (PARTITION BY q.company_id, q.cap_year ORDER BY q.phase, q.accepted_no ROWS UNBOUNDED PRECEDING)
),

turn AS (
    SELECT
        q.company_id, q.cap_year, q.accepted_no, q.phase, q.invoice_id, q.policy_ids, q.basis_fen, q.computed_fen,
        q.computed_fen - q.worth_fen AS overlap_cut_fen, q.worth_fen, q.wanted_fen, q.settled_fen, q.cuts, q.holds,
        q.frozen, q.waits,
        CASE
            WHEN q.phase = 0 THEN q.worth_fen - q.settled_fen
            ELSE least(q.cum_fen, q.room_fen) - least(q.cum_fen - q.wanted_fen, q.room_fen)
        END AS granted_fen
    FROM queued AS q
),

beside AS (
    SELECT t.*, t.phase = 1 AND t.granted_fen > 0 AS backfills
    FROM turn AS t
    WHERE t.holds IS NOT NULL OR t.waits OR t.phase = 1
),

listed AS (
    SELECT
        'held' AS list, 'grant' AS kind, b.*, CAST(0 AS bigint) AS listed_fen, CAST(0 AS bigint) AS short_fen,
        coalesce(b.holds, '[]')
        || CASE WHEN b.frozen AND b.settled_fen IS NULL THEN jsonb_build_array(jsonb_build_object(
            'code', 'frozen', 'amount_fen', b.worth_fen
        )) ELSE jsonb '[]' END AS why
    FROM beside AS b
    WHERE b.holds IS NOT NULL OR b.waits
    UNION ALL
    SELECT
        'held', 'backfill', b.*, 0, 0,
        jsonb_build_array(jsonb_build_object('code', 'frozen', 'amount_fen', b.granted_fen))
    FROM beside AS b
    WHERE b.backfills AND b.frozen
    UNION ALL
    SELECT
        'backfill', 'backfill', b.*, b.granted_fen, b.wanted_fen - b.granted_fen,
        CASE WHEN b.wanted_fen > b.granted_fen THEN jsonb_build_array(jsonb_build_object(
            'code', 'over_cap', 'amount_fen', b.wanted_fen - b.granted_fen
        )) ELSE jsonb '[]' END
    FROM beside AS b
    WHERE b.backfills AND NOT b.frozen AND NOT (SELECT a.backfill FROM asked AS a)
),

listing AS (
    INSERT INTO draft_listed (
        run_id, list, company_id, cap_year, kind, invoice_id, accepted_no, basis_fen, computed_fen, overlap_cut_fen,
        granted_fen, withheld_fen, policy_ids, reasons
    )
    SELECT
        CAST(:run_id AS bigint), l.list, l.company_id, l.cap_year, l.kind, l.invoice_id, l.accepted_no, l.basis_fen,
        l.computed_fen, l.overlap_cut_fen, l.listed_fen, l.short_fen, l.policy_ids,
        (
            SELECT coalesce(jsonb_agg(e.reason ORDER BY array_position(a.codes, e.reason ->> 'code')), '[]')
            FROM jsonb_array_elements(coalesce(r.reasons, '[]') || coalesce(l.cuts, '[]') || l.why) AS e (reason)
            CROSS JOIN asked AS a
        )
    FROM listed AS l
    LEFT JOIN reasons AS r ON r.company_id = l.company_id AND r.invoice_id = l.invoice_id AND r.cap_year = l.cap_year
),

line AS (
    SELECT
        t.*, CASE WHEN t.phase = 0 THEN 0 ELSE t.wanted_fen - t.granted_fen END AS withheld_fen,
        row_number() OVER (ORDER BY t.company_id, t.cap_year, t.phase, t.accepted_no) AS line_no
    FROM turn AS t
    WHERE
        NOT t.waits
        AND (t.phase <> 1 OR (t.granted_fen > 0 AND NOT t.frozen AND (SELECT a.backfill FROM asked AS a)))
)

INSERT INTO draft_line (
    company_id, run_id, line_no, cap_year, kind, invoice_id, accepted_no, basis_fen, computed_fen, overlap_cut_fen,
    granted_fen, withheld_fen, budget_cut_fen, policy_ids, reasons
)
SELECT
    l.company_id, CAST(:run_id AS bigint), l.line_no, l.cap_year,
    CASE l.phase WHEN 2 THEN 'grant' WHEN 1 THEN 'backfill' ELSE 'recovery' END,
    l.invoice_id, l.accepted_no, l.basis_fen, l.computed_fen, l.overlap_cut_fen, l.granted_fen, l.withheld_fen, 0,
    l.policy_ids,
    CASE
        WHEN r.reasons IS NULL AND l.cuts IS NULL AND l.withheld_fen = 0 THEN jsonb '[]'
        ELSE coalesce(r.reasons, '[]') || coalesce(l.cuts, '[]')
            || CASE WHEN l.withheld_fen > 0 THEN jsonb_build_array(jsonb_build_object(
                'code', 'over_cap', 'amount_fen', l.withheld_fen
            )) ELSE jsonb '[]' END
    END
FROM line AS l
LEFT JOIN reasons AS r ON r.company_id = l.company_id AND r.invoice_id = l.invoice_id AND r.cap_year = l.cap_year

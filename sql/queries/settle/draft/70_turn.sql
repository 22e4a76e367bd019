-- grain:  temporary view turn, one row per claim that a draft has to do with: what its turn gives it
-- params: none (reads asked, doc, bill, part, limited, served, refused, verified, metered, room, reasons, singled)
-- source: DESIGN 6.5 (overlap) and 6.6: recovery frees room, then backfill, then new claims, each in acceptance order:
--         least(cum, room) - least(cum - wanted, room); what a frozen voucher would backfill is only held.
--         No product overflows a bigint: an amount is below 10^13 fen, a rate at most 10^4.
-- OFFSET 0 has a step computed once, where the planner would repeat its expressions in every later one.
CREATE TEMPORARY VIEW turn AS
-- Claims of which no more is known than their amount pass the middle steps by: they are most, and their columns cost.
WITH claim AS (
    SELECT
        b.company_id, b.invoice_id, b.cap_year, b.accepted_no, b.doc_no,
        coalesce(m.basis_fen, greatest(b.net_fen, 0)) AS basis_fen,
        CAST(NULL AS bigint) AS computed_fen, b.other_fen, CAST(NULL AS text[]) AS policy_ids,
        CASE WHEN NOT coalesce(m.outside, FALSE) THEN b.last_on END AS last_on
    FROM bill AS b
    INNER JOIN singled AS g ON g.company_id = b.company_id AND g.invoice_id = b.invoice_id
    LEFT JOIN limited AS m ON m.company_id = b.company_id AND m.invoice_id = b.invoice_id
    WHERE b.doc_no IS NOT NULL
    UNION ALL
    SELECT
        p.company_id, p.invoice_id, p.cap_year, p.accepted_no, p.doc_no, p.basis_fen, p.computed_fen, p.other_fen,
        p.policy_ids, p.last_on
    FROM part AS p
),

-- what is known of few claims only
known AS (
    SELECT *
    FROM served
    FULL JOIN refused USING (company_id, invoice_id, cap_year)
    FULL JOIN reasons USING (company_id, invoice_id, cap_year)
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
        s.refused IS NOT NULL AS refused, s.reasons,
        coalesce(d.verify AND s.granted_fen IS NULL AND k.invoice_id IS NULL, FALSE) AS unverified,
        CASE WHEN g.gap_fen > d.usage_gap_fen AND s.granted_fen IS NULL THEN g.differing_fen END AS differing_fen
    FROM claim AS c
    FULL JOIN known AS s
        ON s.company_id = c.company_id AND s.invoice_id = c.invoice_id AND s.cap_year = c.cap_year
    LEFT JOIN doc AS d ON d.doc_no = c.doc_no
    LEFT JOIN verified AS k ON k.company_id = c.company_id AND k.invoice_id = c.invoice_id
    LEFT JOIN metered AS g ON g.company_id = c.company_id AND g.invoice_id = c.invoice_id
    WHERE s.granted_fen IS NOT NULL OR c.last_on <= (SELECT a.through_on FROM asked AS a)
    OFFSET 0 -- noqa: AM09
),

-- other_fen matters here only: what is left of a claim after other subsidies
compared AS (
    SELECT
        m.*, r.room_fen, r.frozen, r.closed, r.spend_fen,
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
        v.company_id, v.cap_year,
        CASE WHEN v.settled_fen IS NULL THEN 2 WHEN v.settled_fen > v.worth_fen THEN 0 ELSE 1 END AS phase,
        v.accepted_no, v.invoice_id, v.basis_fen, v.computed_fen, v.worth_fen, v.settled_fen, v.frozen, v.room_fen,
        v.policy_ids, v.holds, v.reasons,
        coalesce(v.overlap_cut || v.other_cut, v.overlap_cut, v.other_cut) AS cuts,
        v.settled_fen IS NULL AND (v.frozen OR v.holds IS NOT NULL) AS waits,
        CASE
            WHEN v.settled_fen IS NOT NULL THEN greatest(0, v.worth_fen - v.served_fen)
            WHEN v.frozen OR v.holds IS NOT NULL THEN 0
            ELSE v.worth_fen
        END AS wanted_fen,
        CASE WHEN v.settled_fen > v.worth_fen AND NOT v.closed THEN v.settled_fen - v.worth_fen ELSE 0 END AS freed_fen
    FROM valued AS v
    UNION ALL
    SELECT
        b.company_id, b.cap_year, 2, b.accepted_no, b.invoice_id, w.basis_fen, w.worth_fen, w.worth_fen,
        CAST(NULL AS bigint), FALSE, r.room_fen, d.policy_ids, CAST(NULL AS jsonb), CAST(NULL AS jsonb),
        CAST(NULL AS jsonb), FALSE, w.worth_fen, CAST(0 AS bigint)
    FROM bill AS b
    INNER JOIN doc AS d ON d.doc_no = b.doc_no
    INNER JOIN room AS r ON r.company_id = b.company_id AND r.cap_year = b.cap_year
    CROSS JOIN LATERAL (
        SELECT greatest(b.net_fen, 0) AS basis_fen, greatest(b.net_fen, 0) * d.rate_bp / 10000 AS worth_fen
    ) AS w
    LEFT JOIN singled AS g ON g.company_id = b.company_id AND g.invoice_id = b.invoice_id
    WHERE g.invoice_id IS NULL AND b.last_on <= (SELECT a.through_on FROM asked AS a)
),

queued AS (
    SELECT q.*, CAST(sum(q.wanted_fen - q.freed_fen) OVER w AS bigint) AS cum_fen
    FROM asking AS q
    WINDOW w AS (PARTITION BY q.company_id, q.cap_year ORDER BY q.phase, q.accepted_no ROWS UNBOUNDED PRECEDING)
)

SELECT
    q.company_id, q.cap_year, q.accepted_no, q.phase, q.invoice_id, q.policy_ids, q.basis_fen, q.computed_fen,
    q.computed_fen - q.worth_fen AS overlap_cut_fen, q.worth_fen, q.wanted_fen, q.settled_fen, q.cuts, q.holds,
    q.reasons, q.frozen, q.waits,
    CASE
        WHEN q.phase = 0 THEN q.worth_fen - q.settled_fen
        ELSE least(q.cum_fen, q.room_fen) - least(q.cum_fen - q.wanted_fen, q.room_fen)
    END AS granted_fen
FROM queued AS q
-- the order of the window, so that who numbers the rows need not sort them again
ORDER BY q.company_id, q.cap_year, q.phase, q.accepted_no

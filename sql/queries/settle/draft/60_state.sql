-- grain:  temporary table state, one row per claim, new or settled: its worth, and its turn at the room
-- params: none (reads asked, doc, bill, claim, served, cap)
-- source: DESIGN 6.5 (overlap) and 6.6 (recovery, backfill, grant: the signs of worth less what was granted)
CREATE TEMPORARY TABLE state ON COMMIT DROP AS
WITH met AS (
    SELECT
        coalesce(c.company_id, s.company_id) AS company_id,
        coalesce(c.invoice_id, s.invoice_id) AS invoice_id,
        coalesce(c.cap_year, s.cap_year) AS cap_year,
        c.accepted_no, c.deciding_id, c.policy_ids, c.last_on,
        coalesce(c.basis_fen, 0) AS basis_fen,
        coalesce(c.computed_fen, 0) AS computed_fen,
        coalesce(c.other_fen, 0) AS other_fen,
        s.granted_fen, s.served_fen
    FROM claim AS c
    FULL JOIN served AS s
        ON s.company_id = c.company_id AND s.invoice_id = c.invoice_id AND s.cap_year = c.cap_year
),

valued AS (
    SELECT
        m.*,
        CASE
            WHEN d.overlap = 'top_up' THEN greatest(0, m.computed_fen - m.other_fen)
            WHEN d.overlap = 'joint_limit'
                THEN least(
                    m.computed_fen,
                    greatest(
                        0,
                        CAST(div(CAST(m.basis_fen AS numeric) * d.joint_limit_bp, 10000) AS bigint) - m.other_fen
                    )
                )
            WHEN m.other_fen = 0 THEN m.computed_fen
            WHEN m.other_fen >= m.computed_fen THEN 0
            WHEN m.granted_fen IS NULL THEN m.computed_fen
            ELSE least(m.computed_fen, m.granted_fen)
        END AS worth_fen,
        m.other_fen > 0 AND d.overlap = 'exclusive' AND m.other_fen < m.computed_fen AS undecided
    FROM met AS m
    LEFT JOIN doc AS d ON d.policy_id = m.deciding_id
),

-- a year that is no longer covered: the last document says so by its end
last_document AS (
    SELECT ARRAY[d.policy_id] AS policy_ids FROM doc AS d WHERE d.own ORDER BY lower(d.force) DESC LIMIT 1
)

SELECT
    v.company_id, v.invoice_id, v.cap_year, coalesce(v.accepted_no, b.accepted_no) AS accepted_no,
    coalesce(v.policy_ids, k.policy_ids, e.policy_ids) AS policy_ids, v.basis_fen, v.computed_fen, v.worth_fen,
    v.other_fen, v.undecided, v.granted_fen IS NOT NULL AS settled,
    coalesce(v.granted_fen, 0) AS granted_fen,
    CASE
        WHEN v.granted_fen IS NULL THEN 2
        WHEN v.granted_fen > v.worth_fen THEN 0
        ELSE 1
    END AS phase,
    CASE
        WHEN v.granted_fen IS NULL THEN v.worth_fen
        ELSE greatest(0, v.worth_fen - v.served_fen)
    END AS wanted_fen,
    coalesce(v.granted_fen IS NOT NULL OR v.last_on <= a.through_on, FALSE) AS taken
FROM valued AS v
CROSS JOIN asked AS a
LEFT JOIN bill AS b ON v.accepted_no IS NULL AND b.company_id = v.company_id AND b.invoice_id = v.invoice_id
LEFT JOIN cap AS k ON v.policy_ids IS NULL AND k.cap_year = v.cap_year
CROSS JOIN last_document AS e

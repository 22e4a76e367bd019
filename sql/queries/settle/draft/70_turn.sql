-- grain:  temporary table turn, one row per claim that has its turn: what it gets, in order
-- params: none (reads asked, state, cap)
-- source: DESIGN 6.6; recovery frees room, then backfill, then new claims, each in acceptance order:
--         least(cum, room) - least(cum - wanted, room)
CREATE TEMPORARY TABLE turn ON COMMIT DROP AS
WITH used AS (
    SELECT acc.company_id, acc.year, sum(acc.balance_fen) AS used_fen
    FROM account AS acc
    INNER JOIN asked AS a ON a.programme_id = acc.programme_id
    WHERE acc.kind IN ('redeemed', 'lapsed')
    GROUP BY acc.company_id, acc.year
),

-- the face of an automatic voucher follows the cap; one set by hand stays
room AS (
    SELECT
        y.company_id, y.cap_year,
        CASE
            WHEN v.voucher_id IS NULL THEN CASE WHEN k.automatic THEN k.cap_fen ELSE 0 END
            WHEN v.by_hand THEN acc.balance_fen
            ELSE greatest(0, coalesce(k.cap_fen, 0) - coalesce(u.used_fen, 0))
        END AS room_fen
    FROM (SELECT DISTINCT s.company_id, s.cap_year FROM state AS s) AS y
    CROSS JOIN asked AS a
    LEFT JOIN cap AS k ON k.cap_year = y.cap_year
    LEFT JOIN voucher AS v
        ON v.programme_id = a.programme_id AND v.company_id = y.company_id AND v.cap_year = y.cap_year
    LEFT JOIN account AS acc
        ON acc.company_id = y.company_id AND acc.programme_id = a.programme_id AND acc.year = y.cap_year
        AND acc.kind = 'voucher'
    LEFT JOIN used AS u ON u.company_id = y.company_id AND u.year = y.cap_year
),

asking AS (
    SELECT s.*
    FROM state AS s
    WHERE s.taken AND (s.phase = 0 OR (s.phase = 1 AND s.wanted_fen > 0) OR (s.phase = 2 AND NOT s.undecided))
),

queued AS (
    SELECT
        s.*,
        CASE WHEN s.phase = 0 THEN s.granted_fen - s.worth_fen ELSE 0 END AS recovered_fen,
        sum(s.wanted_fen) OVER w AS cum_fen,
        sum(CASE WHEN s.phase = 0 THEN s.granted_fen - s.worth_fen ELSE 0 END)
            OVER (PARTITION BY s.company_id, s.cap_year ORDER BY s.phase, s.accepted_no) AS freed_fen
    FROM asking AS s
    WINDOW w AS (PARTITION BY s.company_id, s.cap_year ORDER BY s.phase, s.accepted_no)
)

SELECT
    q.company_id, q.invoice_id, q.cap_year, q.accepted_no, q.policy_ids, q.phase, q.basis_fen, q.computed_fen,
    q.worth_fen, q.other_fen, q.wanted_fen,
    CAST(CASE
        WHEN q.phase = 0 THEN -q.recovered_fen
        ELSE least(q.cum_fen, r.room_fen + q.freed_fen) - least(q.cum_fen - q.wanted_fen, r.room_fen + q.freed_fen)
    END AS bigint) AS granted_fen
FROM queued AS q
INNER JOIN room AS r ON r.company_id = q.company_id AND r.cap_year = q.cap_year

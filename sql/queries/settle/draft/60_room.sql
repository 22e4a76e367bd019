-- grain:  temporary table room, one row per company and cap year that may have a claim: what may be granted before
--         this run
-- params: none (reads asked, stretch, part, served, cap)
-- source: DESIGN 6.6 and 6.9; the balance of the voucher, before it is issued the face it would have;
--         (below zero by what an amended cap is now below what was granted: recoveries fill that first);
--         a frozen voucher holds claims back, a closed one (revoked or expired) grants nothing any more
CREATE TEMPORARY TABLE room ON COMMIT DROP AS
WITH claimed AS (
    SELECT t.company_id, t.cap_year FROM stretch AS t
    UNION
    SELECT p.company_id, p.cap_year FROM part AS p
    UNION
    SELECT s.company_id, s.cap_year FROM served AS s
),

used AS (
    SELECT acc.company_id, acc.year, sum(acc.balance_fen) AS used_fen
    FROM account AS acc
    INNER JOIN asked AS a ON a.programme_id = acc.programme_id
    WHERE acc.kind IN ('redeemed', 'lapsed')
    GROUP BY acc.company_id, acc.year
),

stood AS (
    SELECT DISTINCT ON (m.subject_id) m.subject_id AS voucher_id, m.to_state
    FROM move AS m
    INNER JOIN seal AS s ON s.act_id = m.act_id
    WHERE m.noun = 'voucher' AND s.no <= (SELECT a.cutoff FROM asked AS a)
    ORDER BY m.subject_id, m.step DESC
),

issued AS (
    SELECT
        v.company_id, v.cap_year, v.by_hand, acc.balance_fen,
        coalesce(t.to_state = 'frozen', FALSE) AS frozen,
        coalesce(t.to_state IN ('revoked', 'expired'), FALSE) AS closed
    FROM voucher AS v
    INNER JOIN asked AS a ON a.programme_id = v.programme_id
    LEFT JOIN account AS acc
        ON acc.company_id = v.company_id AND acc.programme_id = v.programme_id AND acc.year = v.cap_year
        AND acc.kind = 'voucher'
    LEFT JOIN stood AS t ON t.voucher_id = v.voucher_id
)

-- the face of an automatic voucher follows the cap; one set by hand stays
SELECT
    y.company_id, y.cap_year,
    coalesce(i.frozen, FALSE) AS frozen,
    coalesce(i.closed, FALSE) AS closed,
    CAST(CASE
        WHEN i.company_id IS NULL THEN CASE WHEN k.automatic THEN k.cap_fen ELSE 0 END
        WHEN i.closed THEN 0
        WHEN i.by_hand THEN i.balance_fen
        ELSE coalesce(k.cap_fen, 0) - coalesce(u.used_fen, 0)
    END AS bigint) AS room_fen
FROM claimed AS y
LEFT JOIN cap AS k ON k.cap_year = y.cap_year
LEFT JOIN issued AS i ON i.company_id = y.company_id AND i.cap_year = y.cap_year
LEFT JOIN used AS u ON u.company_id = y.company_id AND u.year = y.cap_year

-- grain:  temporary table room, one row per company and cap year that may have a claim: what may be granted before
--         this run; spend_fen: what was spent, where that is below the year's minimum
-- params: none (reads asked, stretch, part, served, cap, short)
-- source: DESIGN 6.6 and 6.9; the balance of the voucher, before it is issued the face it would have;
--         (below zero by what an amended cap is now below what was granted: recoveries fill that first);
--         a frozen voucher or company holds claims back, a closed one (revoked, expired, returned or merged into
--         another) grants nothing any more
CREATE TEMPORARY TABLE room ON COMMIT DROP AS
WITH claimed AS (
    SELECT t.company_id, t.cap_year FROM stretch AS t
    UNION
    SELECT p.company_id, p.cap_year FROM part AS p
    UNION
    SELECT s.company_id, s.cap_year FROM served AS s
),

used AS (
    SELECT
        acc.company_id, acc.year, sum(acc.balance_fen) AS used_fen,
        sum(acc.balance_fen) FILTER (WHERE acc.kind = 'lapsed') AS lapsed_fen
    FROM account AS acc
    INNER JOIN asked AS a ON a.programme_id = acc.programme_id
    WHERE acc.kind IN ('redeemed', 'lapsed')
    GROUP BY acc.company_id, acc.year
),

-- what absorbed companies had been granted, and has not all lapsed yet
absorbed AS (
    SELECT b.voucher_id, sum(b.used_fen) AS used_fen
    FROM absorbed_use AS b
    GROUP BY b.voucher_id
),

issued AS (
    SELECT
        v.company_id, v.cap_year, v.by_hand, acc.balance_fen, b.used_fen AS absorbed_fen,
        coalesce(t.state = 'frozen', FALSE) AS frozen,
        coalesce(t.state IN ('revoked', 'expired', 'returned'), FALSE) AS closed
    FROM voucher AS v
    INNER JOIN asked AS a ON a.programme_id = v.programme_id
    LEFT JOIN account AS acc
        ON acc.company_id = v.company_id AND acc.programme_id = v.programme_id AND acc.year = v.cap_year
        AND acc.kind = 'voucher'
    LEFT JOIN absorbed AS b ON b.voucher_id = v.voucher_id
    LEFT JOIN state_at('voucher', (SELECT k.cutoff FROM asked AS k)) AS t ON t.subject_id = v.voucher_id
)

-- the face of an automatic voucher follows the cap; one set by hand stays, and grants nothing above a cap amended since
SELECT
    y.company_id, y.cap_year,
    coalesce(i.frozen, FALSE) OR coalesce(g.frozen, FALSE) AS frozen,
    coalesce(i.closed, FALSE) OR coalesce(g.closed_from <= y.cap_year, FALSE) AS closed,
    CAST(CASE
        WHEN i.closed OR g.closed_from <= y.cap_year THEN 0
        WHEN i.company_id IS NULL THEN CASE WHEN k.automatic THEN k.cap_fen ELSE 0 END
        ELSE
            least(CASE WHEN i.by_hand THEN i.balance_fen END, coalesce(k.cap_fen, 0) - coalesce(u.used_fen, 0))
            - greatest(coalesce(i.absorbed_fen, 0) - coalesce(u.lapsed_fen, 0), 0)
    END AS bigint) AS room_fen,
    t.spend_fen
FROM claimed AS y
LEFT JOIN cap AS k ON k.cap_year = y.cap_year
LEFT JOIN issued AS i ON i.company_id = y.company_id AND i.cap_year = y.cap_year
LEFT JOIN used AS u ON u.company_id = y.company_id AND u.year = y.cap_year
LEFT JOIN standing_at((SELECT a.cutoff FROM asked AS a)) AS g ON g.company_id = y.company_id
LEFT JOIN short AS t ON t.company_id = y.company_id AND t.cap_year = y.cap_year

-- grain:  inserts one transfer per automatic voucher of the run whose face differs from the cap of its year:
--         all of the face of a new one, else the difference that an amended cap makes
-- params: run_id, act_id, caps (jsonb: cap year to fen; reads freed)
-- source: DESIGN 6, policy documents; the face is never below what is granted once the run's recoveries are back
WITH touched AS (
    SELECT r.programme_id, l.company_id, l.cap_year
    FROM run AS r
    INNER JOIN run_line AS l ON l.run_id = r.run_id
    WHERE r.run_id = CAST(:run_id AS bigint) AND l.granted_fen > 0
    UNION
    SELECT f.programme_id, f.company_id, f.cap_year
    FROM freed AS f
    WHERE f.credit_kind = 'voucher'
),

face AS (
    SELECT
        g.company_id, g.cap_year, o.account_id AS authority_id, v.account_id AS voucher_id,
        greatest(
            coalesce(CAST(CAST(:caps AS jsonb) ->> CAST(g.cap_year AS text) AS bigint), 0)
            - sum(u.balance_fen) + coalesce(f.freed_fen, 0),
            0
        ) - v.balance_fen - coalesce(f.freed_fen, 0) AS difference_fen
    FROM touched AS g
    INNER JOIN voucher AS w
        ON w.programme_id = g.programme_id AND w.company_id = g.company_id AND w.cap_year = g.cap_year
        AND NOT w.by_hand
    INNER JOIN account AS v
        ON v.programme_id = g.programme_id AND v.company_id = g.company_id AND v.year = g.cap_year
        AND v.kind = 'voucher'
    INNER JOIN account AS u
        ON u.programme_id = g.programme_id AND u.company_id = g.company_id AND u.year = g.cap_year
        AND u.kind IN ('redeemed', 'lapsed')
    INNER JOIN account AS o
        ON o.programme_id = g.programme_id AND o.company_id = 0 AND o.year = g.cap_year AND o.kind = 'authority'
    LEFT JOIN freed AS f
        ON f.programme_id = g.programme_id AND f.company_id = g.company_id AND f.cap_year = g.cap_year
    GROUP BY g.company_id, g.cap_year, o.account_id, v.account_id, v.balance_fen, f.freed_fen
)

INSERT INTO transfer (company_id, act_id, transfer_no, debit_account_id, credit_account_id, amount_fen)
SELECT
    f.company_id, CAST(:act_id AS bigint), row_number() OVER (ORDER BY f.company_id, f.cap_year),
    CASE WHEN f.difference_fen > 0 THEN f.authority_id ELSE f.voucher_id END,
    CASE WHEN f.difference_fen > 0 THEN f.voucher_id ELSE f.authority_id END,
    abs(f.difference_fen)
FROM face AS f
WHERE f.difference_fen <> 0

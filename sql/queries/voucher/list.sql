-- grain:  one row per voucher issued by the cutoff, or the one asked for; amounts in fen as they stood then
-- params: cutoff (seal number, null for now), year, company (USCC), voucher_id; null for all; rows, skip; null for none
-- Now the kept balances say it; an earlier moment is summed from the transfers.
WITH asked AS (
    SELECT coalesce(CAST(:cutoff AS bigint), 9223372036854775807) AS cutoff, CAST(:cutoff AS bigint) IS NULL AS now
),

wanted AS (
    SELECT v.voucher_id, v.programme_id, v.company_id, c.uscc AS company, v.cap_year, v.by_hand, s.no, s.recorded_at
    FROM asked AS k
    CROSS JOIN voucher AS v
    INNER JOIN party AS c ON c.party_id = v.company_id
    INNER JOIN seal AS s ON s.act_id = v.act_id AND s.no <= k.cutoff
    WHERE
        (CAST(:year AS integer) IS NULL OR v.cap_year = CAST(:year AS integer))
        AND (CAST(:company AS text) IS NULL OR c.uscc = CAST(:company AS text))
        AND (CAST(:voucher_id AS bigint) IS NULL OR v.voucher_id = CAST(:voucher_id AS bigint))
    ORDER BY v.programme_id, v.cap_year, c.uscc
    LIMIT CAST(:rows AS bigint) OFFSET coalesce(CAST(:skip AS bigint), 0)
),

held AS (
    SELECT w.voucher_id, a.account_id, a.kind, a.balance_fen
    FROM wanted AS w
    INNER JOIN account AS a
        ON a.programme_id = w.programme_id AND a.company_id = w.company_id AND a.year = w.cap_year
        AND a.kind IN ('voucher', 'redeemed', 'lapsed')
),

-- in one pass over the transfers, or in none
then_held AS MATERIALIZED (
    SELECT m.account_id, sum(m.fen) AS fen
    FROM transfer AS t
    INNER JOIN seal AS s ON s.act_id = t.act_id AND s.no <= (SELECT k.cutoff FROM asked AS k)
    CROSS JOIN LATERAL (
        VALUES (t.debit_account_id, -t.amount_fen), (t.credit_account_id, t.amount_fen)
    ) AS m (account_id, fen)
    WHERE NOT (SELECT k.now FROM asked AS k) AND m.account_id = ANY(ARRAY(SELECT h.account_id FROM held AS h))
    GROUP BY m.account_id
),

amount AS (
    SELECT h.voucher_id, h.kind, CASE WHEN k.now THEN h.balance_fen ELSE t.fen END AS fen
    FROM held AS h
    CROSS JOIN asked AS k
    LEFT JOIN then_held AS t ON t.account_id = h.account_id
),

used AS (
    SELECT
        m.voucher_id, sum(m.fen) FILTER (WHERE m.kind = 'voucher') AS left_fen,
        sum(m.fen) FILTER (WHERE m.kind = 'redeemed') AS granted_fen,
        sum(m.fen) FILTER (WHERE m.kind = 'lapsed') AS lapsed_fen
    FROM amount AS m
    GROUP BY m.voucher_id
)

SELECT
    w.voucher_id, w.programme_id, e.name AS programme_name, w.company, n.name, w.cap_year, w.by_hand, t.state,
    w.no AS act_no, w.recorded_at, coalesce(g.frozen, FALSE) AS company_frozen,
    CAST(coalesce(u.left_fen, 0) AS bigint) AS left_fen,
    CAST(coalesce(u.granted_fen, 0) AS bigint) AS granted_fen, CAST(coalesce(u.lapsed_fen, 0) AS bigint) AS lapsed_fen
FROM wanted AS w
INNER JOIN state_at('voucher', (SELECT k.cutoff FROM asked AS k)) AS t ON t.subject_id = w.voucher_id
LEFT JOIN used AS u ON u.voucher_id = w.voucher_id
LEFT JOIN standing_at((SELECT k.cutoff FROM asked AS k)) AS g ON g.company_id = w.company_id
LEFT JOIN programme_at((SELECT k.cutoff FROM asked AS k)) AS e ON e.programme_id = w.programme_id
LEFT JOIN party_name_at((SELECT k.cutoff FROM asked AS k)) AS n ON n.party_id = w.company_id
ORDER BY w.programme_id, w.cap_year, w.company COLLATE "C"

-- grain:  one row per voucher, or the one asked for; amounts in fen as they stand now
-- params: year, company (USCC), voucher_id; null for all
WITH state AS (
    SELECT DISTINCT ON (m.subject_id) m.subject_id AS voucher_id, m.to_state
    FROM move AS m
    WHERE m.noun = 'voucher'
    ORDER BY m.subject_id, m.step DESC
),

used AS (
    SELECT
        a.programme_id, a.company_id, a.year,
        sum(a.balance_fen) FILTER (WHERE a.kind = 'voucher') AS left_fen,
        sum(a.balance_fen) FILTER (WHERE a.kind = 'redeemed') AS granted_fen,
        sum(a.balance_fen) FILTER (WHERE a.kind = 'lapsed') AS lapsed_fen
    FROM account AS a
    WHERE a.kind IN ('voucher', 'redeemed', 'lapsed') AND a.company_id <> 0
    GROUP BY a.programme_id, a.company_id, a.year
)

SELECT
    v.voucher_id, v.programme_id, c.uscc AS company, n.name, v.cap_year, v.by_hand, s.to_state AS state, l.no AS act_no,
    l.recorded_at, CAST(coalesce(u.left_fen, 0) AS bigint) AS left_fen,
    CAST(coalesce(u.granted_fen, 0) AS bigint) AS granted_fen, CAST(coalesce(u.lapsed_fen, 0) AS bigint) AS lapsed_fen
FROM voucher AS v
INNER JOIN party AS c ON c.party_id = v.company_id
INNER JOIN state AS s ON s.voucher_id = v.voucher_id
INNER JOIN seal AS l ON l.act_id = v.act_id
LEFT JOIN used AS u ON u.programme_id = v.programme_id AND u.company_id = v.company_id AND u.year = v.cap_year
LEFT JOIN party_name_at(9223372036854775807) AS n ON n.party_id = v.company_id
WHERE
    (CAST(:year AS integer) IS NULL OR v.cap_year = CAST(:year AS integer))
    AND (CAST(:company AS text) IS NULL OR c.uscc = CAST(:company AS text))
    AND (CAST(:voucher_id AS bigint) IS NULL OR v.voucher_id = CAST(:voucher_id AS bigint))
ORDER BY v.programme_id, v.cap_year, c.uscc COLLATE "C"

-- report: 发放台账
-- grain:  one row per voucher of the cap years in the period
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- source: DESIGN 5, the limit accounts
-- basis:  额度为不含税算力服务金额按政策比例核定的补贴额度；面额、已兑、失效与剩余截至截止号
-- balance: face_fen = used_fen + lapsed_fen + left_fen
-- note:   状态与金额截至截止号；面额等于已兑、失效、剩余之和。
-- columns:
--   company_name   | 企业 | text | 28
--   programme_name | 事项 | text | 27
--   cap_year       | 年度 | text | 7
--   issued_on      | 发券日 | day | 11
--   by_hand        | 方式 | text | 7
--   state          | 状态 | text | 7
--   face_fen       | 面额 | money | 14
--   used_fen       | 已兑 | money | 14
--   lapsed_fen     | 失效 | money | 12
--   left_fen       | 剩余 | money | 14
--   company_code   | 企业代码 | id | 20
WITH book AS (
    SELECT
        a.programme_id, a.company_id, a.year,
        sum(m.fen) FILTER (WHERE a.kind = 'voucher') AS left_fen,
        sum(m.fen) FILTER (WHERE a.kind = 'redeemed') AS used_fen,
        sum(m.fen) FILTER (WHERE a.kind = 'lapsed') AS lapsed_fen
    FROM moved_at(CAST(:cutoff AS bigint)) AS m
    INNER JOIN account AS a ON a.account_id = m.account_id AND a.kind IN ('voucher', 'redeemed', 'lapsed')
    GROUP BY a.programme_id, a.company_id, a.year
)

SELECT
    c.name AS company_name, g.name AS programme_name, v.cap_year || '' AS cap_year, t.effective_on AS issued_on,
    CASE WHEN v.by_hand THEN '手工' ELSE '自动' END AS by_hand,
    CASE o.state
        WHEN 'issued' THEN '有效' WHEN 'frozen' THEN '冻结' WHEN 'revoked' THEN '撤销' WHEN 'expired' THEN '过期'
        WHEN 'returned' THEN '退回' ELSE ''
    END AS state,
    coalesce(b.left_fen, 0) + coalesce(b.used_fen, 0) + coalesce(b.lapsed_fen, 0) AS face_fen,
    coalesce(b.used_fen, 0) AS used_fen, coalesce(b.lapsed_fen, 0) AS lapsed_fen,
    coalesce(b.left_fen, 0) AS left_fen, c.uscc AS company_code
FROM voucher AS v
INNER JOIN act AS t ON t.act_id = v.act_id
INNER JOIN seal AS s ON s.act_id = v.act_id AND s.no <= CAST(:cutoff AS bigint)
INNER JOIN programme_at(CAST(:cutoff AS bigint)) AS g ON g.programme_id = v.programme_id
INNER JOIN party_at(CAST(:cutoff AS bigint)) AS c ON c.party_id = v.company_id
LEFT JOIN book AS b ON b.programme_id = v.programme_id AND b.company_id = v.company_id AND b.year = v.cap_year
LEFT JOIN state_at('voucher', CAST(:cutoff AS bigint)) AS o ON o.subject_id = v.voucher_id
WHERE
    v.cap_year BETWEEN extract(YEAR FROM CAST(:period_from AS date))
    AND extract(YEAR FROM CAST(:period_until AS date) - 1)
ORDER BY v.programme_id, v.cap_year, c.uscc

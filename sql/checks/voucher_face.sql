-- check:  a voucher's face is what was redeemed of it, what is left and what has lapsed;
--         the act that issued it moved exactly the face that the voucher states; nothing is left on a closed one
-- title:  券面额等于已兑、剩余与失效之和
-- grain:  one row per programme, company and year that differs; no rows means all is well
-- params: none
-- source: DESIGN 5, the limit book
WITH moved AS (
    SELECT t.credit_account_id AS account_id, t.act_id, t.amount_fen AS fen
    FROM transfer AS t
    INNER JOIN account AS o ON o.account_id = t.debit_account_id AND o.kind = 'authority'
    UNION ALL
    SELECT t.debit_account_id, t.act_id, -t.amount_fen
    FROM transfer AS t
    INNER JOIN account AS o ON o.account_id = t.credit_account_id AND o.kind = 'authority'
),

face AS (
    SELECT a.programme_id, a.company_id, a.year, sum(m.fen) AS fen
    FROM moved AS m
    INNER JOIN account AS a ON a.account_id = m.account_id AND a.kind = 'voucher'
    GROUP BY a.programme_id, a.company_id, a.year
),

first_face AS (
    SELECT v.voucher_id, sum(m.fen) AS fen
    FROM voucher AS v
    INNER JOIN account AS a
        ON a.programme_id = v.programme_id AND a.company_id = v.company_id AND a.year = v.cap_year
        AND a.kind = 'voucher'
    INNER JOIN moved AS m ON m.account_id = a.account_id AND m.act_id = v.act_id
    GROUP BY v.voucher_id
),

used AS (
    SELECT
        a.programme_id, a.company_id, a.year, sum(a.balance_fen) AS fen,
        sum(a.balance_fen) FILTER (WHERE a.kind = 'redeemed') AS redeemed_fen,
        sum(a.balance_fen) FILTER (WHERE a.kind = 'voucher') AS left_fen,
        sum(a.balance_fen) FILTER (WHERE a.kind = 'lapsed') AS lapsed_fen
    FROM account AS a
    WHERE a.kind IN ('voucher', 'redeemed', 'lapsed')
    GROUP BY a.programme_id, a.company_id, a.year
),

wrong AS (
    SELECT
        s.no, programme_id, company_id, year,
        format(
            '券面额（额度转入）%s元，已兑%s元、剩余%s元、失效%s元，相差%s元。', round(coalesce(f.fen, 0) / 100.0, 2),
            round(coalesce(u.redeemed_fen, 0) / 100.0, 2), round(coalesce(u.left_fen, 0) / 100.0, 2),
            round(coalesce(u.lapsed_fen, 0) / 100.0, 2), round((coalesce(f.fen, 0) - coalesce(u.fen, 0)) / 100.0, 2)
        ) AS detail
    FROM face AS f
    FULL JOIN used AS u USING (programme_id, company_id, year)
    LEFT JOIN (SELECT n.programme_id, n.company_id, n.cap_year AS year, n.act_id FROM voucher AS n) AS v
        USING (programme_id, company_id, year)
    LEFT JOIN seal AS s ON s.act_id = v.act_id
    WHERE coalesce(f.fen, 0) <> coalesce(u.fen, 0)
    UNION ALL
    SELECT
        s.no, v.programme_id, v.company_id, v.cap_year,
        format(
            '券面额登记为%s元，发券时转入额度%s元。', round(v.face_fen / 100.0, 2), round(coalesce(f.fen, 0) / 100.0, 2)
        )
    FROM voucher AS v
    INNER JOIN seal AS s ON s.act_id = v.act_id
    LEFT JOIN first_face AS f ON f.voucher_id = v.voucher_id
    WHERE v.face_fen <> coalesce(f.fen, 0)
    UNION ALL
    SELECT NULL, f.programme_id, f.company_id, f.year, format('已转入额度%s元，但没有发券记录。', round(f.fen / 100.0, 2))
    FROM face AS f
    LEFT JOIN voucher AS v
        ON v.programme_id = f.programme_id AND v.company_id = f.company_id AND v.cap_year = f.year
    WHERE f.fen <> 0 AND v.voucher_id IS NULL
    UNION ALL
    SELECT
        s.no, v.programme_id, v.company_id, v.cap_year,
        format('券已不能再用，仍余额度%s元，应计入失效。', round(a.balance_fen / 100.0, 2))
    FROM voucher AS v
    INNER JOIN state_at('voucher', 9223372036854775807) AS t ON t.subject_id = v.voucher_id
    INNER JOIN move AS m ON m.noun = 'voucher' AND m.subject_id = v.voucher_id AND m.step = t.step
    INNER JOIN seal AS s ON s.act_id = m.act_id
    INNER JOIN account AS a
        ON a.programme_id = v.programme_id AND a.company_id = v.company_id AND a.year = v.cap_year
        AND a.kind = 'voucher' AND a.balance_fen <> 0
    WHERE NOT EXISTS (SELECT FROM allowed_move AS n WHERE n.noun = 'voucher' AND n.from_state = t.state)
)

SELECT w.no AS act_no, concat_ws(' ', w.programme_id, p.uscc, w.year) AS subject, w.detail
FROM wrong AS w
LEFT JOIN party AS p ON p.party_id = w.company_id
ORDER BY w.no, subject

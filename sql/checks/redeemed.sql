-- check:  what an account says was redeemed is the sum of the approved lines
-- title:  已兑额度等于已批准结算行之和
-- grain:  one row per programme, company and cap year that differs; no rows means all is well
-- params: none
-- source: DESIGN 5 and 6.6
WITH granted AS (
    SELECT r.programme_id, l.company_id, l.cap_year, sum(l.granted_fen) AS fen
    FROM run AS r
    INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
    INNER JOIN run_line AS l ON l.run_id = r.run_id
    GROUP BY r.programme_id, l.company_id, l.cap_year
),

redeemed AS (
    SELECT a.programme_id, a.company_id, a.year AS cap_year, a.balance_fen AS fen
    FROM account AS a
    WHERE a.kind = 'redeemed'
)

SELECT
    CAST(NULL AS bigint) AS act_no, concat_ws(' ', programme_id, p.uscc, cap_year) AS subject,
    format(
        '账户已兑%s元，已批准的结算行合计%s元，相差%s元。', round(coalesce(u.fen, 0) / 100.0, 2),
        round(coalesce(g.fen, 0) / 100.0, 2), round((coalesce(u.fen, 0) - coalesce(g.fen, 0)) / 100.0, 2)
    ) AS detail
FROM granted AS g
FULL JOIN redeemed AS u USING (programme_id, company_id, cap_year)
LEFT JOIN party AS p ON p.party_id = company_id
WHERE coalesce(u.fen, 0) <> coalesce(g.fen, 0)
ORDER BY subject

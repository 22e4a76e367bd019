-- check:  what waits to become a company's account is what the proposal states, account by account
-- title:  待变更的收款账户与事项一致
-- grain:  one row per account that is only in one of them, or differs; no rows means all is well
-- params: none
-- source: DESIGN 5, proposal; what waits holds the payments of its company back. The number itself is held against
--         the sealed hash by the approval: no check may read it
WITH stated AS (
    SELECT p.act_id, x.company, x.holder, x.bank, x.clearing_no
    FROM proposal AS p
    CROSS JOIN LATERAL jsonb_to_recordset(CAST(p.payload AS jsonb))
        AS x (company text, holder text, bank text, clearing_no text)
    WHERE p.kind = 'bank_account'
),

kept AS (
    SELECT a.proposal_act_id AS act_id, c.uscc AS company, a.holder, a.bank, a.clearing_no
    FROM pending_account AS a
    LEFT JOIN party AS c ON c.party_id = a.company_id
)

SELECT
    s.no AS act_no, coalesce(t.company, k.company, '') AS subject,
    CASE
        WHEN t.act_id IS NULL THEN '有待变更的收款账户，但事项里没有它。'
        WHEN k.act_id IS NULL THEN '事项里的收款账户没有留存，或不属于这家企业。'
        ELSE '待变更的收款账户与事项里的不同。'
    END AS detail
FROM stated AS t
FULL JOIN kept AS k ON k.act_id = t.act_id AND k.company = t.company
LEFT JOIN seal AS s ON s.act_id = coalesce(t.act_id, k.act_id)
WHERE
    (t.holder, t.bank, t.clearing_no) IS DISTINCT FROM (k.holder, k.bank, k.clearing_no)
    OR t.act_id IS NULL OR k.act_id IS NULL
ORDER BY s.no, subject

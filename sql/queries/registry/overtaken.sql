-- grain:  one row per company of a proposal of accounts for which a later proposal was approved
-- params: proposal_act_id
SELECT DISTINCT p.uscc
FROM pending_account AS a
INNER JOIN seal AS s ON s.act_id = a.proposal_act_id
INNER JOIN pending_account AS b ON b.company_id = a.company_id
INNER JOIN decision AS d ON d.proposal_act_id = b.proposal_act_id AND d.verdict = 'approved'
INNER JOIN seal AS t ON t.act_id = b.proposal_act_id
INNER JOIN party AS p ON p.party_id = a.company_id
WHERE a.proposal_act_id = CAST(:proposal_act_id AS bigint) AND t.no > s.no
ORDER BY p.uscc

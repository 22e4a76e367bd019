-- grain:  inserts the account of a kind for each payee of a batch that has none yet
-- params: batch, kind (in_transit), act_id
INSERT INTO account (name, company_id, act_id)
SELECT 'money:' || CAST(:kind AS text) || ':' || c.uscc, c.party_id, CAST(:act_id AS bigint)
FROM payment AS p
INNER JOIN party AS c ON c.party_id = p.payee_id
WHERE p.batch_id = CAST(:batch AS bigint)
GROUP BY c.uscc, c.party_id
ORDER BY c.uscc COLLATE "C"
ON CONFLICT (name) DO NOTHING

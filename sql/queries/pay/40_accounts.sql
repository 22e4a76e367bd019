-- grain:  inserts the account of a kind for each company of a batch's lines that has none yet
-- params: batch, kind (in_transit), act_id
INSERT INTO account (name, company_id, act_id)
SELECT 'money:' || CAST(:kind AS text) || ':' || c.uscc, c.party_id, CAST(:act_id AS bigint)
FROM payment AS p
INNER JOIN payment_line AS l ON l.payment_id = p.payment_id
INNER JOIN party AS c ON c.party_id = l.company_id
WHERE p.batch_id = CAST(:batch AS bigint)
GROUP BY c.uscc, c.party_id
ORDER BY c.uscc COLLATE "C"
ON CONFLICT (name) DO NOTHING

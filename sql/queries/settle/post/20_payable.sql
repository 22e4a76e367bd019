-- grain:  inserts the account of what is owed to each company of the run's lines with money that has none yet
-- params: run_id, act_id
INSERT INTO account (name, company_id, act_id)
SELECT 'money:payable:' || c.uscc, c.party_id, CAST(:act_id AS bigint)
FROM party AS c
WHERE
    c.party_id IN (
        SELECT l.company_id FROM run_line AS l WHERE l.run_id = CAST(:run_id AS bigint) AND l.granted_fen <> 0
    )
ORDER BY c.uscc COLLATE "C"
ON CONFLICT (name) DO NOTHING

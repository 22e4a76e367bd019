-- grain:  inserts the sellers of accepted invoices that no register has named yet
-- params: act_id
INSERT INTO party (uscc, act_id)
SELECT DISTINCT j.provider_uscc, CAST(:act_id AS bigint)
FROM judged AS j
WHERE j.outcome = 'accepted'
ORDER BY j.provider_uscc
ON CONFLICT (uscc) DO NOTHING

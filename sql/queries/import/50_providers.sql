-- grain:  inserts the sellers of accepted invoices that no register has named yet, by the first act that names them
-- params: none (reads judged)
INSERT INTO party (uscc, act_id)
SELECT j.provider_uscc, min(j.upload_id)
FROM judged AS j
WHERE j.outcome = 'accepted'
GROUP BY j.provider_uscc
ORDER BY j.provider_uscc
ON CONFLICT (uscc) DO NOTHING

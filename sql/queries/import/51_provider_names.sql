-- grain:  inserts the name of each seller that this act made known
-- params: act_id
INSERT INTO party_name (party_id, name, act_id, row_no)
SELECT p.party_id, min(j.provider_name), p.act_id, CAST(min(j.first_row) AS integer)
FROM party AS p
INNER JOIN judged AS j ON j.provider_uscc = p.uscc AND j.outcome = 'accepted'
WHERE p.act_id = CAST(:act_id AS bigint) AND j.provider_name <> ''
GROUP BY p.party_id, p.act_id

-- grain:  inserts the name of each seller that these acts made known
-- params: none (reads judged, context)
INSERT INTO party_name (party_id, name, act_id, row_no)
SELECT p.party_id, min(j.provider_name), p.act_id, CAST(min(j.first_row) AS integer)
FROM context AS x
INNER JOIN party AS p ON p.act_id = x.upload_id
INNER JOIN judged AS j ON j.provider_uscc = p.uscc AND j.upload_id = p.act_id AND j.outcome = 'accepted'
WHERE j.provider_name <> ''
GROUP BY p.party_id, p.act_id

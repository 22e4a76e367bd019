-- grain:  inserts the account of what has lapsed where a recovery goes to it and it is not there yet
-- params: act_id (reads freed)
INSERT INTO account (name, programme_id, company_id, year, act_id)
SELECT
    'limit:lapsed:' || f.programme_id || ':' || c.uscc || ':' || f.cap_year, f.programme_id, f.company_id, f.cap_year,
    CAST(:act_id AS bigint)
FROM freed AS f
INNER JOIN party AS c ON c.party_id = f.company_id
WHERE f.credit_kind = 'lapsed'
ORDER BY f.company_id, f.cap_year
ON CONFLICT (name) DO NOTHING

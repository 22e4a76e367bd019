-- grain:  inserts the accounts that the news need and that are not there yet
-- params: act_id (reads share)
WITH needed AS (
    SELECT 'money:' || k.kind || ':' || c.uscc AS name, s.company_id, NULL AS year
    FROM share AS s
    INNER JOIN party AS c ON c.party_id = s.company_id
    CROSS JOIN (VALUES ('paid'), ('payable')) AS k (kind)
    UNION
    SELECT 'money:returned:' || s.fiscal_year, 0, s.fiscal_year
    FROM share AS s
    WHERE s.closed
)

INSERT INTO account (name, company_id, year, act_id)
SELECT n.name, n.company_id, n.year, CAST(:act_id AS bigint)
FROM needed AS n
ORDER BY n.name COLLATE "C"
ON CONFLICT (name) DO NOTHING

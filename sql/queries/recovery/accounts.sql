-- grain:  inserts the accounts that money taken back goes to and that are not there yet
-- params: act_id (reads taken)
WITH needed AS (
    SELECT
        'money:' || t.credit_kind || ':'
        || CASE t.credit_kind WHEN 'recoverable' THEN c.uscc ELSE CAST(t.fiscal_year AS text) END AS name,
        CASE t.credit_kind WHEN 'recoverable' THEN t.company_id ELSE 0 END AS company_id,
        CASE WHEN t.credit_kind <> 'recoverable' THEN t.fiscal_year END AS year
    FROM taken AS t
    INNER JOIN party AS c ON c.party_id = t.company_id
)

INSERT INTO account (name, company_id, year, act_id)
SELECT DISTINCT n.name COLLATE "C", n.company_id, n.year, CAST(:act_id AS bigint)
FROM needed AS n
ORDER BY n.name COLLATE "C"
ON CONFLICT (name) DO NOTHING

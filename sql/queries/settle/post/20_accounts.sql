-- grain:  inserts the accounts that the run's journal needs and that are not there yet
-- params: run_id, act_id
WITH paid_to AS (
    SELECT DISTINCT r.programme_id, l.company_id, l.cap_year, c.uscc
    FROM run AS r
    INNER JOIN run_line AS l ON l.run_id = r.run_id
    INNER JOIN party AS c ON c.party_id = l.company_id
    WHERE r.run_id = CAST(:run_id AS bigint) AND l.granted_fen <> 0
),

needed AS (
    SELECT
        'limit:' || k.kind || ':' || p.programme_id || ':' || p.uscc || ':' || p.cap_year AS name,
        p.programme_id, p.company_id, p.cap_year AS year
    FROM paid_to AS p
    CROSS JOIN (VALUES ('voucher'), ('redeemed')) AS k (kind)
    UNION
    SELECT 'limit:authority:' || p.programme_id || ':' || p.cap_year, p.programme_id, 0, p.cap_year
    FROM paid_to AS p
    UNION
    SELECT 'money:payable:' || p.uscc, NULL, p.company_id, NULL
    FROM paid_to AS p
)

INSERT INTO account (name, programme_id, company_id, year, act_id)
SELECT n.name, n.programme_id, n.company_id, n.year, CAST(:act_id AS bigint)
FROM needed AS n
ORDER BY n.name COLLATE "C"
ON CONFLICT (name) DO NOTHING

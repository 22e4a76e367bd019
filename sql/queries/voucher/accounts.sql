-- grain:  inserts the limit accounts of the vouchers that this act issued and that are not there yet
-- params: act_id
WITH issued AS (
    SELECT v.programme_id, v.company_id, v.cap_year, c.uscc
    FROM voucher AS v
    INNER JOIN party AS c ON c.party_id = v.company_id
    WHERE v.act_id = CAST(:act_id AS bigint)
),

needed AS (
    SELECT
        'limit:' || k.kind || ':' || i.programme_id || ':' || i.uscc || ':' || i.cap_year AS name, i.programme_id,
        i.company_id, i.cap_year AS year
    FROM issued AS i
    CROSS JOIN (VALUES ('voucher'), ('redeemed')) AS k (kind)
    UNION
    SELECT 'limit:authority:' || i.programme_id || ':' || i.cap_year, i.programme_id, 0, i.cap_year
    FROM issued AS i
)

INSERT INTO account (name, programme_id, company_id, year, act_id)
SELECT n.name, n.programme_id, n.company_id, n.year, CAST(:act_id AS bigint)
FROM needed AS n
ORDER BY n.name COLLATE "C"
ON CONFLICT (name) DO NOTHING

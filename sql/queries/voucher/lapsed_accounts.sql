-- grain:  inserts the lapsed accounts of vouchers that are not there yet
-- params: ids (bigint[]), act_id
WITH needed AS (
    SELECT
        'limit:lapsed:' || v.programme_id || ':' || c.uscc || ':' || v.cap_year AS name, v.programme_id, v.company_id,
        v.cap_year
    FROM voucher AS v
    INNER JOIN party AS c ON c.party_id = v.company_id
    WHERE v.voucher_id = ANY(CAST(:ids AS bigint[]))
)

INSERT INTO account (name, programme_id, company_id, year, act_id)
SELECT n.name, n.programme_id, n.company_id, n.cap_year, CAST(:act_id AS bigint)
FROM needed AS n
ORDER BY n.name COLLATE "C"
ON CONFLICT (name) DO NOTHING

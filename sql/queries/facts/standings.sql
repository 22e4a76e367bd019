-- grain:  one row per company that is frozen, or closed by a merger from a cap year on, as known at the cutoff
-- params: cutoff (seal number), first_id, last_id (companies, inclusive)
SELECT g.company_id AS company, g.frozen, g.closed_from
FROM standing_at(CAST(:cutoff AS bigint)) AS g
WHERE g.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
ORDER BY g.company_id

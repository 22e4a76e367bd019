-- grain:  one row per company that an approved run leaves something open for; those it looked at and finished go
-- params: run_id
WITH finished AS (
    DELETE FROM open_company AS o
    USING draft_company AS d
    INNER JOIN open_run AS r ON r.run_id = d.run_id
    WHERE
        d.run_id = CAST(:run_id AS bigint) AND NOT d.open
        AND o.programme_id = r.programme_id AND o.company_id = d.company_id
)

INSERT INTO open_company (programme_id, company_id)
SELECT r.programme_id, d.company_id
FROM draft_company AS d
INNER JOIN open_run AS r ON r.run_id = d.run_id
WHERE d.run_id = CAST(:run_id AS bigint) AND d.open
ON CONFLICT DO NOTHING

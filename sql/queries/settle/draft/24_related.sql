-- grain:  temporary table related, one row per company and provider that a relation is on record for, whenever
-- params: none (reads asked)
CREATE TEMPORARY TABLE related ON COMMIT DROP AS
SELECT DISTINCT r.company_id, r.provider_id
FROM relation_at((SELECT a.cutoff FROM asked AS a)) AS r

-- grain:  one row per row of the relations register written by the cutoff, in order of writing
-- params: cutoff (seal number), first_id, last_id (companies, inclusive)
SELECT
    r.provider_id, r.company_id, r.kind, coalesce(r.share_bp, 0) AS share_bp, r.from_on,
    CASE WHEN isempty(r.span) THEN r.from_on ELSE upper(r.span) END AS until_on, s.no, r.row_no
FROM relation AS r
INNER JOIN seal AS s ON s.act_id = r.act_id
WHERE s.no <= CAST(:cutoff AS bigint) AND r.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
ORDER BY s.no, r.row_no

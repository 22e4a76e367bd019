-- grain:  one row per row of the companies register written by the cutoff, in order of writing
-- params: cutoff (seal number), first_id, last_id (companies, inclusive)
SELECT
    q.company_id, q.category, q.from_on, CASE WHEN isempty(q.span) THEN q.from_on ELSE upper(q.span) END AS until_on,
    s.no, q.row_no
FROM qualification AS q
INNER JOIN seal AS s ON s.act_id = q.act_id
WHERE s.no <= CAST(:cutoff AS bigint) AND q.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
ORDER BY s.no, q.row_no

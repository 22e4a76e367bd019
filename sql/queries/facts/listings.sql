-- grain:  one row per row of the providers register written by the cutoff, in order of writing
-- params: cutoff (seal number)
SELECT
    l.provider_id, l.from_on, CASE WHEN isempty(l.span) THEN l.from_on ELSE upper(l.span) END AS until_on, s.no,
    l.row_no
FROM listing AS l
INNER JOIN seal AS s ON s.act_id = l.act_id
WHERE s.no <= CAST(:cutoff AS bigint)
ORDER BY s.no, l.row_no

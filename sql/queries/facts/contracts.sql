-- grain:  one row per row of the contracts register written by the cutoff, in order of writing
-- params: cutoff (seal number), first_id, last_id (companies, inclusive)
SELECT
    c.contract_no, c.provider_id, c.company_id, c.amount_fen, c.from_on,
    CASE WHEN isempty(c.span) THEN c.from_on ELSE upper(c.span) END AS until_on, s.no, c.row_no
FROM contract AS c
INNER JOIN seal AS s ON s.act_id = c.act_id
WHERE s.no <= CAST(:cutoff AS bigint) AND c.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
ORDER BY s.no, c.row_no

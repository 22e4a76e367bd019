-- grain:  one row per refusal of a claim, or lifting of one, approved by the cutoff, in order of approval
-- params: programme, cutoff (seal number), first_id, last_id (companies, inclusive)
SELECT i.number AS invoice_number, f.cap_year, f.refused, s.no
FROM refusal AS f
INNER JOIN seal AS s ON s.act_id = f.act_id
INNER JOIN invoice AS i ON i.company_id = f.company_id AND i.invoice_id = f.invoice_id
WHERE
    s.no <= CAST(:cutoff AS bigint) AND f.programme_id = :programme
    AND f.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
ORDER BY s.no

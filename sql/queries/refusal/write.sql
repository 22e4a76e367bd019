-- grain:  inserts one refusal of an invoice's claims, or the lifting of one
-- params: number, programme_id, cap_year (null speaks of every year), refused, why, act_id
INSERT INTO refusal (company_id, invoice_id, programme_id, cap_year, refused, why, act_id)
SELECT
    n.company_id, n.invoice_id, :programme_id, CAST(:cap_year AS integer), CAST(:refused AS boolean), :why,
    CAST(:act_id AS bigint)
FROM invoice_number AS n
WHERE n.number = :number

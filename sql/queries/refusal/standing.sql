-- grain:  one row per decision about an invoice's claims of a programme, oldest first
-- params: number, programme_id
SELECT f.cap_year, f.refused
FROM refusal AS f
INNER JOIN invoice_number AS n ON n.company_id = f.company_id AND n.invoice_id = f.invoice_id
INNER JOIN seal AS s ON s.act_id = f.act_id
WHERE n.number = :number AND f.programme_id = :programme_id
ORDER BY s.no

-- grain:  one row: the last word of the tax platform on an invoice by the cutoff, and how many there are; none
--         without any
-- params: number, cutoff (seal number)
SELECT v.result, v.checked_on, v.checked_by, count(*) OVER () AS times
FROM verification AS v
INNER JOIN seal AS s ON s.act_id = v.act_id
WHERE v.invoice_number = :number AND s.no <= CAST(:cutoff AS bigint)
ORDER BY v.checked_on DESC, s.no DESC, v.row_no DESC
LIMIT 1

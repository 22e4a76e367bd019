-- grain:  one row: how many lines of usage wait for an invoice
-- params: number, cutoff (seal number)
SELECT coalesce(sum(h.lines), 0) AS lines
FROM held_usage AS h
INNER JOIN seal AS s ON s.act_id = h.upload_id AND s.no <= CAST(:cutoff AS bigint)
WHERE h.invoice_number = :number

-- grain:  one row: how many sums a later upload has written of invoices to come that this file speaks of
-- params: upload_id
-- What waits for an invoice is taken up in the order of the uploads, so it must have been written in that order.
SELECT count(*) AS later
FROM held_usage AS h
WHERE h.upload_id > CAST(:upload_id AS bigint) AND h.invoice_number IN (SELECT s.number FROM usage_stage AS s)

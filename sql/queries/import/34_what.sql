-- grain:  one row: what there is among the invoices, so that steps over nothing need not run
-- params: none (reads stage, judged)
-- reds: red-letters; known: numbers accepted before; waiting: documents of these numbers that wait; open: rows that
-- are not accepted; usage: whether any waits for them
SELECT
    coalesce(bool_or(j.kind = 'red'), FALSE) AS reds,
    coalesce(bool_or(j.code IN ('duplicate_invoice', 'conflict_invoice')), FALSE) AS known,
    (SELECT count(*) FROM held_row AS h INNER JOIN judged AS w ON w.number = h.invoice_number) > 0 AS waiting,
    (SELECT count(*) FROM stage AS s WHERE s.held_upload_id = 0)
    > coalesce(sum(j.rows) FILTER (WHERE j.outcome = 'accepted' AND j.held_upload_id = 0), 0) AS open,
    (
        SELECT count(*) FROM held_usage AS u
        INNER JOIN judged AS w ON w.number = u.invoice_number AND w.outcome = 'accepted'
    ) > 0 AS usage
FROM judged AS j

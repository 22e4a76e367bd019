-- grain:  one row: what there is among the invoices, so that steps over nothing need not run
-- params: none (reads judged)
SELECT
    coalesce(bool_or(j.kind = 'red'), FALSE) AS reds,
    coalesce(bool_or(j.code IN ('duplicate_invoice', 'conflict_invoice')), FALSE) AS known
FROM judged AS j

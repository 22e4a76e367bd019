-- grain:  one row: how often this result file has brought news
-- params: stem (of the act's reference)
SELECT count(*) AS times FROM act AS a WHERE a.kind = 'payment_result' AND starts_with(a.reference, CAST(:stem AS text))

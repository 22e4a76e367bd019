-- grain:  one row per advisory lock taken: the buckets of the invoice numbers of a file of usage, ascending
-- params: none (reads usage_stage)
-- Alone, as a red-letter takes its blue's: of two files about an invoice, or a file and the invoice, at the same time
-- one sees the other.
SELECT pg_advisory_xact_lock(1129794819, b.bucket) IS NULL AS locked
FROM (SELECT DISTINCT hashtext(s.number) & 255 AS bucket FROM usage_stage AS s ORDER BY bucket) AS b
ORDER BY b.bucket

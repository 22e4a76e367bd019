-- grain:  one row: the bucket of an invoice number, locked alone until the end of the transaction
-- params: number
-- The locks are those of the import: no red-letter of this number is judged meanwhile.
SELECT pg_advisory_xact_lock(1129794819, hashtext(:number) & 255) IS NULL AS locked

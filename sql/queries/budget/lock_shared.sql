-- grain:  one row
-- params: none
-- Keeps every fiscal year as open or closed as it is until the transaction ends; others may do the same.
SELECT pg_advisory_xact_lock_shared(1129794822)

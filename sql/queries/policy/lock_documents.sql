-- grain:  one row
-- params: none
-- One policy document at a time, so that it is checked against all that are recorded.
SELECT pg_advisory_xact_lock(1129794823)

-- grain:  one row
-- params: none
-- One registry file at a time, so that its rows are compared with what is on record and nothing else.
SELECT pg_advisory_xact_lock(1129794820)

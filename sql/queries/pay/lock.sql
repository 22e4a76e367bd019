-- grain:  one row
-- params: none
-- Takes the lock under which bank files are taken in, one after another; it is held until the transaction ends.
SELECT pg_advisory_xact_lock(1129794818)

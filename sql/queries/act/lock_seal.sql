-- grain:  one row
-- params: none
-- Takes the one lock under which acts are numbered; it is held until the transaction ends.
SELECT pg_advisory_xact_lock(1129794817)

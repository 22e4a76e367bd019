-- grain:  one row
-- params: none
-- Takes the lock under which a fiscal year is closed; whoever gives money back to one holds it as well, with its own
-- kind, so that nothing comes back to a year that is being closed. It is held until the transaction ends.
SELECT pg_advisory_xact_lock(1129794822)

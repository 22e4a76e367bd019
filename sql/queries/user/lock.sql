-- grain:  one row
-- params: none
-- One user is added at a time, so that two first users are not both taken for the first.
SELECT pg_advisory_xact_lock(1129794821)

-- grain:  one row: whether the lock of a job and slot was had; it is held until the transaction ends
-- params: job, slot
SELECT
    pg_try_advisory_xact_lock(hashtextextended('cvl job ' || :job || ' ' || :slot, 0)) AS had,
    clock_timestamp() AS started_at

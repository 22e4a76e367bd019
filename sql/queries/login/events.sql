-- grain:  one row per event of access, newest first
-- params: event (null for all), name (null for all), before (event id, null for the newest), rows
SELECT e.event_id, e.happened_at, e.event, e.name, e.subject, e.code, e.address, e.request_id
FROM access_event AS e
WHERE
    (CAST(:event AS text) IS NULL OR e.event = CAST(:event AS text))
    AND (CAST(:name AS text) IS NULL OR e.name = CAST(:name AS text))
    AND (CAST(:before AS bigint) IS NULL OR e.event_id < CAST(:before AS bigint))
ORDER BY e.event_id DESC
LIMIT CAST(:rows AS integer)

-- grain:  one row per user, without the system: whether and since when it can log in, and with a second factor
-- params: none
SELECT
    u.name, u.role, u.provider_uscc, l.set_at, coalesce(l.one_time, FALSE) AS one_time,
    u.name IN (SELECT f.name FROM second_factor AS f WHERE f.confirmed) AS second_factor,
    (SELECT max(s.seen_at) FROM session AS s WHERE s.name = u.name) AS seen_at
FROM app_user AS u
LEFT JOIN login AS l ON l.name = u.name
WHERE u.role <> 'system'
ORDER BY u.name

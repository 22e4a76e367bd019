-- grain:  one row when an attempt is allowed, which it counts; none while the subject has to wait
-- params: subject, free (attempts without waiting), first_seconds, longest_seconds
-- The wait doubles with each failure; a day without one forgets them.
INSERT INTO login_failure AS f (subject, failures) VALUES (:subject, 1)
ON CONFLICT (subject) DO UPDATE
SET
    failures = CASE WHEN f.last_at < clock_timestamp() - interval '1 day' THEN 1 ELSE f.failures + 1 END,
    last_at = clock_timestamp()
WHERE
    f.failures < CAST(:free AS integer)
    OR f.last_at + make_interval(secs => least(
        CAST(:longest_seconds AS integer),
        CAST(:first_seconds AS integer) * power(2, least(f.failures - CAST(:free AS integer), 16))
    )) <= clock_timestamp()
RETURNING f.failures

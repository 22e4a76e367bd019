-- grain:  deletes the sessions of a user, and those of everybody that are past their time
-- params: name (null for nobody), longest_seconds
DELETE FROM session AS s
WHERE
    s.name = CAST(:name AS text)
    OR s.began_at < clock_timestamp() - make_interval(secs => CAST(:longest_seconds AS integer))

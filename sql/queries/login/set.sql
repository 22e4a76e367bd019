-- grain:  inserts or replaces how one user logs in
-- params: name, password_hash, one_time
INSERT INTO login AS l (name, password_hash, one_time)
VALUES (:name, :password_hash, CAST(:one_time AS boolean))
ON CONFLICT (name) DO UPDATE
SET password_hash = excluded.password_hash, one_time = excluded.one_time, set_at = clock_timestamp()

-- grain:  inserts or replaces the secret of a second factor that is not confirmed yet; no row when one is confirmed
-- params: name, secret
INSERT INTO second_factor AS f (name, secret)
VALUES (:name, :secret)
ON CONFLICT (name) DO UPDATE
SET secret = excluded.secret, last_step = 0, made_at = clock_timestamp()
WHERE NOT f.confirmed

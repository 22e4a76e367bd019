-- grain:  one row: the second factor of a user, with the number of recovery codes that are left; none without one
-- params: name
SELECT
    f.name, f.secret, f.confirmed, f.last_step, f.made_at,
    (SELECT count(*) FROM recovery_code AS r WHERE r.name = f.name) AS codes
FROM second_factor AS f
WHERE f.name = :name

-- grain:  takes the code of a step of time and confirms the factor; no row when one as late or later was taken
-- params: name, secret (that the code was checked against), step
UPDATE second_factor AS f
SET last_step = CAST(:step AS bigint), confirmed = TRUE
WHERE f.name = :name AND f.secret = :secret AND f.last_step < CAST(:step AS bigint)

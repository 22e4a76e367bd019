-- grain:  inserts one session; it is pending where the user has a second factor that was not given yet
-- params: token_sha256, name, form_token, given (true: the second factor was), outside
INSERT INTO session (token_sha256, name, form_token, pending, outside)
SELECT
    :token_sha256, :name, :form_token,
    NOT CAST(:given AS boolean)
    AND EXISTS (SELECT FROM second_factor AS f WHERE f.name = :name AND f.confirmed),
    CAST(:outside AS boolean)

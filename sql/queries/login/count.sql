-- grain:  one row: how many users can log in
-- params: none
SELECT count(*) AS logins FROM login

-- grain:  one row: the server's version
-- params: none
SELECT current_setting('server_version') AS version

-- grain:  one row: whether the database already holds a ledger, and the server's version
-- params: none
SELECT
    to_regnamespace('cvl') IS NOT NULL AS taken,
    CAST(current_setting('server_version_num') AS integer) / 10000 AS major

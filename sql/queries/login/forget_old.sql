-- grain:  deletes the failed attempts that count no more: anybody can make them under any name
-- params: none
DELETE FROM login_failure WHERE last_at < clock_timestamp() - interval '1 day'

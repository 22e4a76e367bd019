-- grain:  one row: how many bytes the staging table of this session still has, null where it has none
-- params: none
-- What is rolled back leaves its dead rows behind until the next commit.
SELECT pg_relation_size(to_regclass('pg_temp.stage')) AS bytes

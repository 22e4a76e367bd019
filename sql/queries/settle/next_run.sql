-- grain:  one row: a new run id
-- params: none
SELECT nextval('run_id_seq') AS run_id

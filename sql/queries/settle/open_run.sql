-- grain:  one row: the open run of a programme, draft or submitted
-- params: programme_id
SELECT o.* FROM open_run AS o WHERE o.programme_id = :programme_id

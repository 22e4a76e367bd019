-- grain:  one row per programme, locked in ascending order until the transaction ends
-- params: none
SELECT p.programme_id FROM programme AS p ORDER BY p.programme_id FOR UPDATE

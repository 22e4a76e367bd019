-- grain:  one row: the programme, locked until the transaction ends
-- params: programme_id
SELECT p.programme_id FROM programme AS p WHERE p.programme_id = :programme_id FOR UPDATE

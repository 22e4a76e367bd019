-- grain:  deletes the files of all users that nobody confirmed for a week; one row with the id of each
-- params: none
DELETE FROM waiting_file WHERE handed_at < clock_timestamp() - interval '7 days'
RETURNING handed_id

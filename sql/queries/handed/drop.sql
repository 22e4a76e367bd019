-- grain:  deletes one waiting file of a user
-- params: name, handed_id
DELETE FROM waiting_file WHERE name = :name AND handed_id = CAST(:handed_id AS bigint)

-- grain:  deletes the second factor of a user, with its recovery codes
-- params: name
DELETE FROM second_factor WHERE name = :name

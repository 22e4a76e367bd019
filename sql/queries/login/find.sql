-- grain:  one row: how a user logs in
-- params: name
SELECT l.name, l.password_hash, l.one_time FROM login AS l WHERE l.name = :name

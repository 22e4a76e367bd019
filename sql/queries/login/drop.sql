-- grain:  deletes how one user logs in, with its sessions
-- params: name
DELETE FROM login WHERE name = :name

-- grain:  replaces the digest of an unchanged password by one with today's costs
-- params: name, password_hash
UPDATE login SET password_hash = :password_hash WHERE name = :name

-- grain:  inserts the accounts of these names that are not there yet
-- params: names (text[])
INSERT INTO account (name, year)
SELECT n.name, CAST(substring(n.name FROM '([0-9]{4})$') AS integer)
FROM unnest(CAST(:names AS text[])) AS n (name)
ORDER BY n.name COLLATE "C"
ON CONFLICT (name) DO NOTHING

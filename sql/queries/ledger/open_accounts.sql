-- grain:  inserts the accounts of these names that are not there yet
-- params: names (text[]), act_id; accounts of a fiscal year carry it
INSERT INTO account (name, year, act_id)
SELECT
    n.name,
    CASE
        WHEN split_part(n.name, ':', 2) IN ('treasury', 'appropriation', 'returned')
            THEN CAST(substring(split_part(n.name, ':', 3) FROM '^[0-9]{4}$') AS integer)
    END,
    CAST(:act_id AS bigint)
FROM unnest(CAST(:names AS text[])) AS n (name)
ORDER BY n.name COLLATE "C"
ON CONFLICT (name) DO NOTHING

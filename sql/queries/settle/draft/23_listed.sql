-- grain:  temporary table listed, one row per provider and unbroken days on the list
-- params: none (reads asked)
CREATE TEMPORARY TABLE listed ON COMMIT DROP AS
SELECT l.provider_id, unnest(range_agg(l.span)) AS days
FROM listing_at((SELECT a.cutoff FROM asked AS a)) AS l
WHERE NOT isempty(l.span)
GROUP BY l.provider_id

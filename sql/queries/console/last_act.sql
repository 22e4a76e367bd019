-- grain:  one row: the last act of a kind, none when there is none; old: recorded more than so many days ago
-- params: kind, days
SELECT
    s.no, s.recorded_at, a.reference, a.effective_on,
    s.recorded_at < clock_timestamp() - make_interval(days => CAST(:days AS integer)) AS old
FROM act AS a
INNER JOIN seal AS s ON s.act_id = a.act_id
WHERE a.kind = :kind
ORDER BY s.no DESC
LIMIT 1

-- grain:  one row per applied migration, in order
-- params: none
SELECT m.number, m.name, m.applied_at FROM migration AS m ORDER BY m.number

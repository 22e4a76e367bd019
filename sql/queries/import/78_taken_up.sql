-- grain:  one row per act of these files that took up usage
-- params: none (reads context)
SELECT DISTINCT m.act_id
FROM metering AS m
INNER JOIN context AS x ON x.upload_id = m.act_id

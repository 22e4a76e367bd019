-- grain:  deletes what waits under a number that the file itself brings in order: of both only the newest is accepted
-- params: none (reads judged)
-- source: DESIGN 7; rows of the file that are not taken leave what waits to the blue that has come
DELETE FROM judged AS w
USING judged AS o
WHERE o.number = w.number AND o.held_upload_id = 0 AND w.held_upload_id > 0 AND o.outcome IN ('accepted', 'red')

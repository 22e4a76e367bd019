-- grain:  inserts one row per line of a file of usage that is in no sum
-- params: none
INSERT INTO upload_row SELECT f.* FROM usage_failed AS f

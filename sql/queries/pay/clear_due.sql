-- grain:  deletes the lines that were computed only to see what is due
-- params: none
DELETE FROM draft_line AS d
WHERE d.run_id = 0

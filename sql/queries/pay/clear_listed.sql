-- grain:  deletes the claims that were listed only to see what is due
-- params: none
DELETE FROM draft_listed AS d
WHERE d.run_id = 0

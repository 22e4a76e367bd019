-- grain:  deletes the failures of subjects
-- params: subjects
DELETE FROM login_failure WHERE subject = any(CAST(:subjects AS text[]))

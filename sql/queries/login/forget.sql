-- grain:  deletes the failures of subjects, and takes the attempt that was none off what its address is counted by
-- params: subjects, address (a subject)
WITH forgotten AS (
    DELETE FROM login_failure WHERE subject = any(CAST(:subjects AS text[]))
)

UPDATE login_failure SET failures = failures - 1 WHERE subject = :address AND failures > 1

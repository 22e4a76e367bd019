-- grain:  the problems of the upload at work; a table with rules by row takes no COPY, this one does
-- params: none
CREATE TEMPORARY TABLE problem (LIKE upload_problem) ON COMMIT DROP

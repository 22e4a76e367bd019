-- grain:  inserts one row per problem of the upload
-- params: none
INSERT INTO upload_problem SELECT p.* FROM problem AS p

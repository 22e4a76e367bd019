-- grain:  inserts one statement
-- params: act_id, sha256 (hex), file_name, profile, rows, known
INSERT INTO bank_statement (statement_id, sha256, file_name, profile, rows, known)
VALUES (:act_id, decode(:sha256, 'hex'), :file_name, :profile, :rows, :known)

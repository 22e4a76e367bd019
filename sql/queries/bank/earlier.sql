-- grain:  one row: the statement that this file brought, if it did
-- params: sha256 (hex)
SELECT b.statement_id, b.rows, b.known FROM bank_statement AS b WHERE b.sha256 = decode(:sha256, 'hex')

-- grain:  one row: an account's balance as kept
-- params: name
SELECT a.account_id, a.balance_fen FROM account AS a WHERE a.name = :name

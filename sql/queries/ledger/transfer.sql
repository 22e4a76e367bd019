-- grain:  inserts one transfer per entry; none of them belongs to a settlement line
-- params: act_id, debits (text[] of account names), credits (text[]), amounts (bigint[], fen)
INSERT INTO transfer (act_id, transfer_no, debit_account_id, credit_account_id, amount_fen)
SELECT CAST(:act_id AS bigint), e.transfer_no, d.account_id, c.account_id, e.amount_fen
FROM unnest(CAST(:debits AS text[]), CAST(:credits AS text[]), CAST(:amounts AS bigint[]))
WITH ORDINALITY AS e (debit, credit, amount_fen, transfer_no)
INNER JOIN account AS d ON d.name = e.debit
INNER JOIN account AS c ON c.name = e.credit

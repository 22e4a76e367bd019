-- grain:  inserts one bank account per company that had none
-- params: rows (jsonb array; salt in hex), act_id
INSERT INTO bank_account (
    company_id, holder, bank, account_no, account_last4, account_salt, account_sha256, clearing_no, act_id, row_no
)
SELECT
    p.party_id, r.holder, r.bank, r.account_no, right(r.account_no, 4), decode(r.salt, 'hex'),
    sha256(decode(r.salt, 'hex') || convert_to(r.account_no, 'UTF8')), r.clearing_no, CAST(:act_id AS bigint), r.row_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    uscc text, holder text, bank text, account_no text, salt text, clearing_no text, row_no integer
)
INNER JOIN party AS p ON p.uscc = r.uscc

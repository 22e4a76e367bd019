-- grain:  inserts one pending account per company whose account changes
-- params: rows (jsonb array; salt in hex), act_id
INSERT INTO pending_account (
    proposal_act_id, row_no, company_id, holder, bank, account_no, account_salt, clearing_no
)
SELECT
    CAST(:act_id AS bigint), r.row_no, p.party_id, r.holder, r.bank, r.account_no, decode(r.salt, 'hex'), r.clearing_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    uscc text, holder text, bank text, account_no text, salt text, clearing_no text, row_no integer
)
INNER JOIN party AS p ON p.uscc = r.uscc

-- grain:  inserts the accounts of an approved proposal
-- params: proposal_act_id, act_id
INSERT INTO bank_account (
    company_id, holder, bank, account_no, account_last4, account_salt, account_sha256, clearing_no, act_id, row_no
)
SELECT
    a.company_id, a.holder, a.bank, a.account_no, right(a.account_no, 4), a.account_salt,
    sha256(a.account_salt || convert_to(a.account_no, 'UTF8')), a.clearing_no, CAST(:act_id AS bigint), a.row_no
FROM pending_account AS a
WHERE a.proposal_act_id = CAST(:proposal_act_id AS bigint)

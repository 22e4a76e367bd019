-- grain:  inserts the accounts of an approved proposal, those that are still as they were proposed
-- params: proposal_act_id, payload (jsonb array of what was shown), act_id
INSERT INTO bank_account (
    company_id, holder, bank, account_no, account_last4, account_salt, account_sha256, clearing_no, act_id, row_no
)
SELECT
    a.company_id, a.holder, a.bank, a.account_no, right(a.account_no, 4), a.account_salt,
    sha256(a.account_salt || convert_to(a.account_no, 'UTF8')), a.clearing_no, CAST(:act_id AS bigint), a.row_no
FROM pending_account AS a
INNER JOIN party AS p ON p.party_id = a.company_id
INNER JOIN jsonb_to_recordset(CAST(:payload AS jsonb))
    AS r (company text, holder text, bank text, clearing_no text, sha256 text)
    ON
        r.company = p.uscc AND r.holder = a.holder AND r.bank = a.bank AND r.clearing_no = a.clearing_no
        AND r.sha256 = encode(sha256(a.account_salt || convert_to(a.account_no, 'UTF8')), 'hex')
WHERE a.proposal_act_id = CAST(:proposal_act_id AS bigint)

-- check:  a bank account's number is the one whose salted hash was sealed
-- title:  银行账号与封存的摘要一致
-- grain:  one row per account that differs; no rows means all is well
-- params: none
-- source: DESIGN 5, proof: an account number is sealed as its last four digits and a salted hash
SELECT
    s.no AS act_no, p.uscc AS subject, format('企业收款账号（末四位%s）与封存的摘要不符。', b.account_last4) AS detail
FROM bank_account AS b
INNER JOIN party AS p ON p.party_id = b.company_id
LEFT JOIN seal AS s ON s.act_id = b.act_id
WHERE
    b.account_sha256 <> sha256(b.account_salt || convert_to(b.account_no, 'UTF8'))
    OR b.account_last4 <> right(b.account_no, 4)
ORDER BY s.no, b.row_no

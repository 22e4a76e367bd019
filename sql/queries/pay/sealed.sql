-- grain:  one row per act that a batch's payments rest on, itself and those that brought the accounts: what was sealed,
--         and whether each account's number is the one whose hash was
-- params: batch
SELECT
    s.no, s.act_id, encode(s.body_sha256, 'hex') AS body_sha256, encode(s.body_sm3, 'hex') AS body_sm3,
    coalesce(bool_and(
        b.account_sha256 = sha256(b.account_salt || convert_to(b.account_no, 'UTF8'))
        AND b.account_last4 = right(b.account_no, 4)
    ), TRUE) AS own_numbers
FROM seal AS s
LEFT JOIN payment AS p ON p.batch_id = CAST(:batch AS bigint) AND p.account_act_id = s.act_id
LEFT JOIN bank_account AS b ON b.act_id = p.account_act_id AND b.row_no = p.account_row_no
WHERE s.act_id = CAST(:batch AS bigint) OR p.payment_id IS NOT NULL
GROUP BY s.no, s.act_id, s.body_sha256, s.body_sm3
ORDER BY s.no

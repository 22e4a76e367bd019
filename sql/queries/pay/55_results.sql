-- grain:  inserts what the bank said of each payment in the news
-- params: act_id, sha256 (hex, of the file) (reads told)
INSERT INTO payment_result (
    payment_id, step, state, happened_on, bank_reference, reason, sha256, row_no, act_id
)
SELECT
    t.payment_id, t.step + 1, t.state, t.happened_on, t.bank_reference, t.reason, decode(:sha256, 'hex'), t.row_no,
    CAST(:act_id AS bigint)
FROM told AS t
WHERE t.verdict = 'fresh'
ORDER BY t.payment_id

-- grain:  one row: what can be paid now: payments (one per payee), lines, amount in fen, and a digest of all of it
-- params: none (reads payable)
SELECT
    count(DISTINCT p.payee_id) AS payments, count(*) AS lines, CAST(coalesce(sum(p.fen), 0) AS bigint) AS amount_fen,
    encode(sha256(convert_to(coalesce(string_agg(
        concat_ws('|', p.company_id, p.payee_id, p.line_no, p.fen, b.account_last4, encode(b.account_sha256, 'hex')),
        chr(10)
        ORDER BY p.line_no
    ), ''), 'UTF8')), 'hex') AS digest
FROM payable AS p
LEFT JOIN bank_account AS b ON b.act_id = p.account_act_id AND b.row_no = p.account_row_no
WHERE p.code IS NULL

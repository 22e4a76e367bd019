-- grain:  inserts the lines that no earlier statement had
-- params: act_id, rows (jsonb array)
INSERT INTO bank_line (
    statement_id, row_no, booked_on, amount_fen, name, account_last4, serial, remark, reference, line_digest
)
SELECT
    CAST(:act_id AS bigint), r.row_no, r.booked_on, r.amount_fen, r.name, r.account_last4, r.serial, r.remark,
    r.reference, r.line_digest
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    row_no bigint, booked_on date, amount_fen bigint, name text, account_last4 text, serial text, remark text,
    reference text, line_digest text
)
ON CONFLICT (line_digest) DO NOTHING

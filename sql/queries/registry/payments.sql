-- grain:  inserts one payment per row of a payments file
-- params: rows (jsonb array), act_id
INSERT INTO invoice_payment (invoice_number, paid_on, reference, amount_fen, act_id, row_no)
SELECT r.invoice_number, r.paid_on, r.reference, r.amount_fen, CAST(:act_id AS bigint), r.row_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r (invoice_number text, paid_on date, reference text, amount_fen bigint, row_no integer)

-- grain:  inserts one verification per row of a verifications file
-- params: rows (jsonb array), act_id
INSERT INTO verification (invoice_number, checked_on, result, checked_by, act_id, row_no)
SELECT r.invoice_number, r.checked_on, r.result, r.checked_by, CAST(:act_id AS bigint), r.row_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r (invoice_number text, checked_on date, result text, checked_by text, row_no integer)

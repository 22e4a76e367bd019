-- grain:  inserts one subsidy per row of a subsidies file
-- params: rows (jsonb array), act_id
INSERT INTO subsidy (invoice_number, policy_name, amount_fen, waived, act_id, row_no)
SELECT r.invoice_number, r.policy_name, r.amount_fen, r.waived, CAST(:act_id AS bigint), r.row_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r (invoice_number text, policy_name text, amount_fen bigint, waived boolean, row_no integer)

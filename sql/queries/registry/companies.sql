-- grain:  inserts one qualification per row of a companies file
-- params: rows (jsonb array; until_on exclusive), act_id
INSERT INTO qualification (company_id, category, from_on, span, basis, act_id, row_no)
SELECT
    p.party_id, r.category, r.from_on, daterange(r.from_on, greatest(r.from_on, r.until_on)), r.basis,
    CAST(:act_id AS bigint), r.row_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r (uscc text, category text, from_on date, until_on date, basis text, row_no integer)
INNER JOIN party AS p ON p.uscc = r.uscc

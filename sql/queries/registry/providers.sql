-- grain:  inserts one listing per row of a providers file
-- params: rows (jsonb array; until_on exclusive), act_id
INSERT INTO listing (provider_id, from_on, span, act_id, row_no)
SELECT p.party_id, r.from_on, daterange(r.from_on, greatest(r.from_on, r.until_on)), CAST(:act_id AS bigint), r.row_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (uscc text, from_on date, until_on date, row_no integer)
INNER JOIN party AS p ON p.uscc = r.uscc

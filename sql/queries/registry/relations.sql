-- grain:  inserts one relation per row of a relations file
-- params: rows (jsonb array; until_on exclusive), act_id
INSERT INTO relation (provider_id, company_id, kind, share_bp, from_on, span, act_id, row_no)
SELECT
    p.party_id, c.party_id, r.kind, r.share_bp, r.from_on, daterange(r.from_on, greatest(r.from_on, r.until_on)),
    CAST(:act_id AS bigint), r.row_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    provider_uscc text, company_uscc text, kind text, share_bp integer, from_on date, until_on date, row_no integer
)
INNER JOIN party AS p ON p.uscc = r.provider_uscc
INNER JOIN party AS c ON c.uscc = r.company_uscc

-- grain:  inserts one contract per row of a contracts file
-- params: rows (jsonb array; until_on exclusive), act_id
INSERT INTO contract (contract_no, provider_id, company_id, amount_fen, from_on, span, act_id, row_no)
SELECT
    r.contract_no, p.party_id, c.party_id, r.amount_fen, r.from_on,
    daterange(r.from_on, greatest(r.from_on, r.until_on)), CAST(:act_id AS bigint), r.row_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    contract_no text, provider_uscc text, company_uscc text, amount_fen bigint, from_on date, until_on date,
    row_no integer
)
INNER JOIN party AS p ON p.uscc = r.provider_uscc
INNER JOIN party AS c ON c.uscc = r.company_uscc

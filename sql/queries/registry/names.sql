-- grain:  inserts the names of a registry file that differ from those on record
-- params: rows (jsonb array), act_id
INSERT INTO party_name (party_id, name, act_id, row_no)
SELECT DISTINCT ON (p.party_id) p.party_id, r.name, CAST(:act_id AS bigint), r.row_no
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (uscc text, name text, row_no integer)
INNER JOIN party AS p ON p.uscc = r.uscc
LEFT JOIN party_name_at(9223372036854775807) AS n ON n.party_id = p.party_id
WHERE r.name <> '' AND r.name IS DISTINCT FROM n.name
ORDER BY p.party_id, r.row_no DESC

-- grain:  inserts the names of a registry file that differ from those on record: of each party its last row's
-- params: rows (jsonb array), act_id
WITH last_row AS (
    SELECT DISTINCT ON (p.party_id) p.party_id, r.name, r.row_no
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (uscc text, name text, row_no integer)
    INNER JOIN party AS p ON p.uscc = r.uscc
    ORDER BY p.party_id, r.row_no DESC
)

INSERT INTO party_name (party_id, name, act_id, row_no)
SELECT l.party_id, l.name, CAST(:act_id AS bigint), l.row_no
FROM last_row AS l
LEFT JOIN party_name_at(9223372036854775807) AS n ON n.party_id = l.party_id
WHERE l.name IS DISTINCT FROM n.name

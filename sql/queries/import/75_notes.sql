-- grain:  inserts what the document says beside its rows, in order
-- params: upload_id, names (text[]), texts (text[])
INSERT INTO upload_note (upload_id, note_no, name, value)
SELECT CAST(:upload_id AS bigint), n.note_no, n.name, n.value
FROM unnest(CAST(:names AS text[]), CAST(:texts AS text[])) WITH ORDINALITY AS n (name, value, note_no)

-- grain:  inserts what the documents say beside their rows, in order
-- params: notes (jsonb: upload_id, note_no, name, value)
INSERT INTO upload_note (upload_id, note_no, name, value)
SELECT n.upload_id, n.note_no, n.name, n.value
FROM jsonb_to_recordset(CAST(:notes AS jsonb)) AS n (upload_id bigint, note_no integer, name text, value text)

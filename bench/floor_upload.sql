-- grain:  one upload in the copy of its table, for the invoice lines to point to
INSERT INTO floor.upload (
    upload_id, sha256, file_name, format, received_on, header, rows, accepted, duplicate, conflict, rejected, held
)
VALUES (1, sha256(''), 'floor', 'floor', '2026-07-15', '', 0, 0, 0, 0, 0, 0);

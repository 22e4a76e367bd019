-- grain:  one row: the invoices that the upload accepted, with their amounts in fen
-- params: upload_id
SELECT
    count(*) AS invoices, CAST(coalesce(sum(i.net_fen), 0) AS bigint) AS net_fen,
    CAST(coalesce(sum(i.gross_fen), 0) AS bigint) AS gross_fen
FROM invoice AS i
WHERE i.act_id = CAST(:upload_id AS bigint)

-- grain:  temporary table unsliced, one row per bill that does not count whole in one year
-- params: none (reads bill)
CREATE TEMPORARY TABLE unsliced ON COMMIT DROP AS
SELECT
    b.company_id, b.invoice_id, b.provider_id, b.accepted_no, b.span, b.received_on, b.net_fen, b.other_fen
FROM bill AS b
WHERE b.doc_no IS NULL

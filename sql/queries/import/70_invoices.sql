-- grain:  inserts one invoice per accepted number, placed by row (and sheet), then those that were held, by number
-- params: none (reads judged, context)
INSERT INTO invoice (
    company_id, invoice_id, number, kind, original_number, provider_id, issued_on, received_on, span, contract_no,
    net_fen, tax_fen, gross_fen, paid_fen, evidence, digest, act_id, place
)
SELECT
    j.company_id, j.invoice_id, j.number, j.kind, j.original_number, p.party_id, j.issued_on, j.received_on, j.span,
    j.contract_no, j.net_fen, j.tax_fen, j.gross_fen, j.paid_fen,
    CASE
        WHEN j.held_upload_id > 0
            THEN (SELECT min(h.evidence) FROM held_row AS h WHERE h.upload_id = j.held_upload_id)
        ELSE x.evidence
    END, j.digest, j.upload_id,
    row_number() OVER (
        PARTITION BY j.upload_id
        ORDER BY
            j.held_upload_id > 0,
            CASE WHEN j.held_upload_id = 0 THEN j.first_row END,
            CASE WHEN j.held_upload_id > 0 THEN j.number END,
            j.sheet COLLATE "C"
    )
FROM judged AS j
INNER JOIN party AS p ON p.uscc = j.provider_uscc
INNER JOIN context AS x ON x.upload_id = j.upload_id
WHERE j.outcome = 'accepted'

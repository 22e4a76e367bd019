-- grain:  inserts one resolution
-- params: number, act_id, upload_id, evidence_act_id (or null), kind (or null), net_fen, tax_fen, gross_fen, why
INSERT INTO resolution (
    act_id, company_id, invoice_id, upload_id, evidence_act_id, kind, net_fen, tax_fen, gross_fen, why
)
SELECT
    CAST(:act_id AS bigint), n.company_id, n.invoice_id, CAST(:upload_id AS bigint), CAST(:evidence_act_id AS bigint),
    CAST(:kind AS text), CAST(:net_fen AS bigint), CAST(:tax_fen AS bigint), CAST(:gross_fen AS bigint), :why
FROM invoice_number AS n
WHERE n.number = :number

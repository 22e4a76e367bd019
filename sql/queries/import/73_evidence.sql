-- grain:  inserts one row per further document of an accepted invoice
-- params: none (reads further)
INSERT INTO evidence (
    company_id, invoice_id, act_id, kind, upload_id, sha256, net_fen, tax_fen, gross_fen, span, contract_no, paid_fen,
    has_lines, digest
)
SELECT
    f.company_id, f.invoice_id, f.act_id, f.kind, f.upload_id, u.sha256,
    sum(f.net_fen), sum(f.tax_fen), sum(f.gross_fen),
    CASE WHEN min(f.service_from) IS NOT NULL THEN daterange(min(f.service_from), min(f.service_until), '[]') END,
    coalesce(min(f.contract_no), ''), sum(f.paid_fen),
    bool_and(f.tax_code IS NOT NULL),
    CASE
        WHEN count(*) = 1 THEN min(f.digest)
        ELSE encode(sha256(convert_to(string_agg(f.digest, '' ORDER BY f.digest), 'UTF8')), 'hex')
    END
FROM further AS f
INNER JOIN upload AS u ON u.upload_id = f.upload_id
GROUP BY f.company_id, f.invoice_id, f.act_id, f.kind, f.upload_id, u.sha256

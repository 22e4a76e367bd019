-- grain:  one row: an invoice accepted by the cutoff, by number, as it stood then
-- params: number, cutoff (seal number)
SELECT
    i.company_id, i.invoice_id, i.number, i.kind, i.original_number, s.accepted_before + i.place AS accepted_no,
    c.uscc AS company,
    (SELECT x.name FROM party_name_at(CAST(:cutoff AS bigint)) AS x WHERE x.party_id = i.company_id) AS company_name,
    p.uscc AS provider,
    (SELECT x.name FROM party_name_at(CAST(:cutoff AS bigint)) AS x WHERE x.party_id = i.provider_id) AS provider_name,
    i.issued_on,
    i.received_on, lower(coalesce(v.span, i.span)) AS from_on, upper(coalesce(v.span, i.span)) - 1 AS until_on,
    coalesce(v.contract_no, i.contract_no) AS contract_no, coalesce(m.net_fen, i.net_fen) AS net_fen,
    coalesce(m.tax_fen, i.tax_fen) AS tax_fen,
    coalesce(m.gross_fen, i.gross_fen) AS gross_fen,
    CASE WHEN v.template_act_id IS NULL THEN i.paid_fen ELSE v.paid_fen END AS paid_fen,
    i.evidence, s.no AS act_no, s.recorded_at
FROM invoice_number AS n
INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
INNER JOIN seal AS s ON s.act_id = i.act_id AND s.no <= CAST(:cutoff AS bigint)
LEFT JOIN resolution_at(CAST(:cutoff AS bigint)) AS m ON m.company_id = i.company_id AND m.invoice_id = i.invoice_id
INNER JOIN party AS c ON c.party_id = i.company_id
INNER JOIN party AS p ON p.party_id = i.provider_id
LEFT JOIN LATERAL (
    SELECT x.*
    FROM evidence_at(CAST(:cutoff AS bigint)) AS x
    WHERE x.company_id = i.company_id AND x.invoice_id = i.invoice_id
    ORDER BY x.invoice_id
    LIMIT 1
) AS v ON TRUE
WHERE n.number = :number

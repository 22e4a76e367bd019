-- grain:  one row per held claim or listed backfill of a draft, in order
-- params: run_id, list
SELECT
    i.number AS invoice_number, c.uscc AS company, p.uscc AS provider, l.cap_year, l.kind, l.accepted_no,
    l.basis_fen, l.computed_fen, l.overlap_cut_fen, l.granted_fen, l.withheld_fen,
    CAST(0 AS bigint) AS budget_cut_fen, l.policy_ids, l.reasons
FROM draft_listed AS l
INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
INNER JOIN party AS c ON c.party_id = l.company_id
INNER JOIN party AS p ON p.party_id = i.provider_id
WHERE l.run_id = CAST(:run_id AS bigint) AND l.list = :list
ORDER BY l.company_id, l.cap_year, l.kind, l.accepted_no

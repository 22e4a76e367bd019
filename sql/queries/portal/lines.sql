-- grain:  one row per line of a run, draft or submitted, as filtered and sorted
-- params: run_id, kind (grant, backfill, recovery; null for all), cut (true: only lines with something cut),
--         find (beginning of an invoice number or a company's code, null for all), sort (line, computed,
--         granted, withheld, sample), down (true: largest first), rows (null for all), skip
WITH line AS (
    SELECT
        l.line_no, l.company_id, l.invoice_id, l.cap_year, l.kind, l.accepted_no, l.basis_fen, l.computed_fen,
        l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.budget_cut_fen, l.policy_ids, l.reasons
    FROM draft_line AS l
    WHERE l.run_id = CAST(:run_id AS bigint)
    UNION ALL
    SELECT
        l.line_no, l.company_id, l.invoice_id, l.cap_year, l.kind, l.accepted_no, l.basis_fen, l.computed_fen,
        l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.budget_cut_fen, l.policy_ids, l.reasons
    FROM run_line AS l
    WHERE l.run_id = CAST(:run_id AS bigint)
),

chosen AS (
    SELECT
        l.*, i.number AS invoice_number, c.uscc AS company, p.uscc AS provider,
        CASE CAST(:sort AS text)
            WHEN 'computed' THEN l.computed_fen WHEN 'granted' THEN l.granted_fen WHEN 'withheld' THEN l.withheld_fen
            WHEN 'sample' THEN hashint8(l.line_no * 2654435761 + CAST(:run_id AS bigint))
            ELSE l.line_no
        END AS place
    FROM line AS l
    INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
    INNER JOIN party AS c ON c.party_id = l.company_id
    INNER JOIN party AS p ON p.party_id = i.provider_id
    WHERE
        (CAST(:kind AS text) IS NULL OR l.kind = CAST(:kind AS text))
        AND (NOT CAST(:cut AS boolean) OR l.withheld_fen + l.budget_cut_fen + l.overlap_cut_fen > 0)
        AND (
            CAST(:find AS text) IS NULL OR starts_with(i.number, CAST(:find AS text))
            OR starts_with(c.uscc, CAST(:find AS text))
        )
)

SELECT h.*
FROM chosen AS h
ORDER BY CASE WHEN CAST(:down AS boolean) THEN -h.place ELSE h.place END, h.line_no
LIMIT CAST(:rows AS bigint)
OFFSET CAST(:skip AS bigint)

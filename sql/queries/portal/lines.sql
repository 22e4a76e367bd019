-- grain:  one row per line of a run, draft or submitted, as filtered and sorted
-- params: run_id, kind (grant, backfill, recovery; null for all), cut (true: only lines with something cut),
--         find (beginning of an invoice number or a company's code, null for all), sort (line, computed,
--         granted, withheld, sample), down (true: largest first), rows (null for all), skip
-- The page is chosen on the few columns that it is sorted by; the rest is looked up for its lines alone.
WITH line AS (
    SELECT
        l.line_no, l.company_id, l.invoice_id, l.kind, l.computed_fen, l.granted_fen, l.withheld_fen,
        l.withheld_fen + l.budget_cut_fen + l.overlap_cut_fen AS cut_fen
    FROM draft_line AS l
    WHERE l.run_id = CAST(:run_id AS bigint)
    UNION ALL
    SELECT
        l.line_no, l.company_id, l.invoice_id, l.kind, l.computed_fen, l.granted_fen, l.withheld_fen,
        l.withheld_fen + l.budget_cut_fen + l.overlap_cut_fen AS cut_fen
    FROM run_line AS l
    WHERE l.run_id = CAST(:run_id AS bigint)
),

placed AS (
    SELECT
        l.line_no, l.company_id,
        CASE WHEN CAST(:down AS boolean) THEN -1 ELSE 1 END * CASE CAST(:sort AS text)
            WHEN 'computed' THEN l.computed_fen WHEN 'granted' THEN l.granted_fen WHEN 'withheld' THEN l.withheld_fen
            WHEN 'sample' THEN hashint8(l.line_no * 2654435761 + CAST(:run_id AS bigint))
            ELSE l.line_no
        END AS place
    FROM line AS l
    WHERE
        (CAST(:kind AS text) IS NULL OR l.kind = CAST(:kind AS text))
        AND (NOT CAST(:cut AS boolean) OR l.cut_fen > 0)
        AND (
            CAST(:find AS text) IS NULL
            OR EXISTS (
                SELECT FROM invoice AS i
                INNER JOIN party AS c ON c.party_id = i.company_id
                WHERE
                    i.company_id = l.company_id AND i.invoice_id = l.invoice_id
                    AND (starts_with(i.number, CAST(:find AS text)) OR starts_with(c.uscc, CAST(:find AS text)))
            )
        )
),

chosen AS (
    SELECT p.line_no, p.company_id, p.place
    FROM placed AS p
    ORDER BY p.place, p.line_no
    LIMIT CAST(:rows AS bigint)
    OFFSET CAST(:skip AS bigint)
),

whole AS (
    SELECT
        h.place, l.line_no, l.company_id, l.invoice_id, l.cap_year, l.kind, l.accepted_no, l.basis_fen, l.computed_fen,
        l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.budget_cut_fen, l.policy_ids, l.reasons
    FROM chosen AS h
    INNER JOIN draft_line AS l
        ON l.run_id = CAST(:run_id AS bigint) AND l.company_id = h.company_id AND l.line_no = h.line_no
    UNION ALL
    SELECT
        h.place, l.line_no, l.company_id, l.invoice_id, l.cap_year, l.kind, l.accepted_no, l.basis_fen, l.computed_fen,
        l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.budget_cut_fen, l.policy_ids, l.reasons
    FROM chosen AS h
    INNER JOIN run_line AS l
        ON l.run_id = CAST(:run_id AS bigint) AND l.company_id = h.company_id AND l.line_no = h.line_no
)

SELECT w.*, i.number AS invoice_number, c.uscc AS company, p.uscc AS provider
FROM whole AS w
INNER JOIN invoice AS i ON i.company_id = w.company_id AND i.invoice_id = w.invoice_id
INNER JOIN party AS c ON c.party_id = w.company_id
INNER JOIN party AS p ON p.party_id = i.provider_id
ORDER BY w.place, w.line_no

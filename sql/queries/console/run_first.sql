-- grain:  one row per line of a run, draft or submitted, the first ones in order
-- params: run_id, rows (how many)
WITH line AS (
    SELECT l.line_no, l.company_id, l.invoice_id, l.cap_year, l.kind, l.computed_fen, l.overlap_cut_fen,
        l.granted_fen, l.withheld_fen, l.reasons
    FROM draft_line AS l
    WHERE l.run_id = CAST(:run_id AS bigint) AND l.line_no <= CAST(:rows AS bigint)
    UNION ALL
    SELECT l.line_no, l.company_id, l.invoice_id, l.cap_year, l.kind, l.computed_fen, l.overlap_cut_fen,
        l.granted_fen, l.withheld_fen, l.reasons
    FROM run_line AS l
    WHERE l.run_id = CAST(:run_id AS bigint) AND l.line_no <= CAST(:rows AS bigint)
)

SELECT
    l.line_no, i.number AS invoice_number, c.uscc AS company, l.cap_year, l.kind, l.computed_fen,
    l.overlap_cut_fen, l.granted_fen, l.withheld_fen, l.reasons
FROM line AS l
INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
INNER JOIN party AS c ON c.party_id = l.company_id
ORDER BY l.line_no

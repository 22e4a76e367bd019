-- grain:  inserts one row per company of a draft: whether the draft leaves anything open that no later fact need bring
--         up again: claims held, backfill listed, claims of later months, limit that a pro-rata cut did not use
-- params: run_id
-- source: DESIGN 6.6 and 6.9; what is withheld is not open: only a new fact gives it room
INSERT INTO draft_company (run_id, company_id, open)
SELECT
    CAST(:run_id AS bigint), k.company_id,
    k.company_id IN (
        SELECT l.company_id FROM draft_listed AS l WHERE l.run_id = CAST(:run_id AS bigint)
        UNION ALL
        SELECT l.company_id FROM draft_line AS l WHERE l.run_id = CAST(:run_id AS bigint) AND l.budget_cut_fen > 0
        UNION ALL
        SELECT b.company_id
        FROM bill AS b
        WHERE b.last_on > (SELECT a.through_on FROM asked AS a) AND b.doc_no IS NOT NULL
        UNION ALL
        SELECT p.company_id FROM part AS p WHERE p.last_on > (SELECT a.through_on FROM asked AS a)
    )
FROM touched AS k

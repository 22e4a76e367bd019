-- grain:  one row per company and cap year of the run's lines whose voucher or company moved after its cutoff, or that
--         a merger concerns since
-- params: run_id
WITH claimed AS (
    SELECT DISTINCT r.programme_id, r.cutoff_no, l.company_id, l.cap_year
    FROM run AS r
    INNER JOIN run_line AS l ON l.run_id = r.run_id
    WHERE r.run_id = CAST(:run_id AS bigint)
),

moved AS (
    SELECT v.programme_id, v.company_id, v.cap_year, m.act_id
    FROM move AS m
    INNER JOIN voucher AS v ON v.voucher_id = m.subject_id
    WHERE m.noun = 'voucher'
    UNION ALL
    SELECT NULL, m.subject_id, NULL, m.act_id FROM move AS m WHERE m.noun = 'company'
    UNION ALL
    SELECT NULL, unnest(ARRAY[g.absorbed_id, g.survivor_id]), NULL, g.act_id FROM merger AS g
)

SELECT DISTINCT c.uscc AS company, l.cap_year
FROM moved AS m
INNER JOIN claimed AS l
    ON l.company_id = m.company_id AND coalesce(m.programme_id, l.programme_id) = l.programme_id
    AND coalesce(m.cap_year, l.cap_year) = l.cap_year
INNER JOIN seal AS s ON s.act_id = m.act_id AND s.no > l.cutoff_no
INNER JOIN party AS c ON c.party_id = l.company_id
ORDER BY company, l.cap_year

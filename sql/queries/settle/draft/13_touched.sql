-- grain:  temporary table touched, one row per company that a run may have something to do for: it left something open
--         in its last run, or a fact about it was recorded after that run's cutoff
-- params: none (reads asked)
-- source: DESIGN 6.6 and 6.9; of a company without news a run gives the lines of the last one again, which is none
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
WITH approved AS (
    SELECT r.cutoff_no, d.act_id
    FROM run AS r
    INNER JOIN asked AS a ON a.programme_id = r.programme_id
    INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
    INNER JOIN seal AS s ON s.act_id = d.act_id AND s.no <= a.cutoff
),

-- what the approval of a run did is no news to the next one
fresh AS (
    SELECT s.act_id
    FROM seal AS s
    INNER JOIN asked AS a ON s.no <= a.cutoff
    WHERE
        a.news_only AND s.no > (SELECT max(p.cutoff_no) FROM approved AS p)
        AND s.act_id NOT IN (SELECT p.act_id FROM approved AS p)
),

spoken_of AS (
    SELECT u.invoice_number, u.act_id FROM subsidy AS u
    UNION ALL
    SELECT p.invoice_number, p.act_id FROM invoice_payment AS p
    UNION ALL
    SELECT v.invoice_number, v.act_id FROM verification AS v
    UNION ALL
    SELECT r.original_number, r.act_id FROM invoice AS r WHERE r.original_number IS NOT NULL
),

told AS (
    SELECT i.company_id, i.act_id FROM invoice AS i
    UNION ALL
    SELECT n.company_id, p.act_id FROM spoken_of AS p INNER JOIN invoice_number AS n ON n.number = p.invoice_number
    UNION ALL
    SELECT e.company_id, e.act_id FROM evidence AS e
    UNION ALL
    SELECT r.company_id, r.act_id FROM resolution AS r
    UNION ALL
    SELECT m.company_id, m.act_id FROM metering AS m
    UNION ALL
    SELECT q.company_id, q.act_id FROM qualification AS q
    UNION ALL
    SELECT r.company_id, r.act_id FROM relation AS r
    UNION ALL
    SELECT c.company_id, c.act_id FROM contract AS c
    UNION ALL
    SELECT f.company_id, f.act_id FROM refusal AS f
    UNION ALL
    SELECT v.company_id, v.act_id FROM voucher AS v
    UNION ALL
    SELECT v.company_id, m.act_id
    FROM move AS m
    INNER JOIN voucher AS v ON m.noun = 'voucher' AND v.voucher_id = m.subject_id
    UNION ALL
    SELECT m.subject_id, m.act_id FROM move AS m WHERE m.noun = 'company'
    UNION ALL
    SELECT g.survivor_id, g.act_id FROM merger AS g
    UNION ALL
    SELECT g.absorbed_id, g.act_id FROM merger AS g
),

-- a provider that is listed or leaves the list speaks of all its customers
news AS (
    SELECT t.company_id FROM told AS t INNER JOIN fresh AS f ON f.act_id = t.act_id
    UNION
    SELECT i.company_id
    FROM invoice AS i
    WHERE i.provider_id IN (SELECT l.provider_id FROM listing AS l INNER JOIN fresh AS f ON f.act_id = l.act_id)
    UNION
    SELECT o.company_id FROM open_company AS o INNER JOIN asked AS a ON a.programme_id = o.programme_id
),

-- merged companies share one cap
joined AS (
    SELECT n.company_id FROM news AS n
    UNION
    SELECT g.absorbed_id FROM merger AS g INNER JOIN news AS n ON n.company_id = g.survivor_id
    UNION
    SELECT g.survivor_id FROM merger AS g INNER JOIN news AS n ON n.company_id = g.absorbed_id
),

-- a first run, and one after a new document, looks at everybody
everybody AS (
    SELECT
        NOT a.news_only OR NOT EXISTS (SELECT FROM approved)
        OR EXISTS (SELECT FROM policy AS p INNER JOIN fresh AS f ON f.act_id = p.act_id) AS holds
    FROM asked AS a
)

SELECT p.party_id AS company_id
FROM party AS p
CROSS JOIN asked AS a
WHERE
    (a.companies IS NULL OR p.party_id = ANY(a.companies))
    AND ((SELECT e.holds FROM everybody AS e) OR p.party_id IN (SELECT j.company_id FROM joined AS j))

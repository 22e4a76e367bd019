-- grain:  one row per move of a company's standing and per merger it was part of, in order
-- params: company (USCC)
WITH wanted AS (
    SELECT p.party_id FROM party AS p WHERE p.uscc = :company
),

event AS (
    SELECT m.act_id, 'company:' || m.from_state || ':' || m.to_state AS what, m.why
    FROM wanted AS w
    INNER JOIN move AS m ON m.noun = 'company' AND m.subject_id = w.party_id
    UNION ALL
    SELECT g.act_id, CASE WHEN g.absorbed_id = w.party_id THEN 'merged' ELSE 'absorbed' END, o.uscc
    FROM wanted AS w
    INNER JOIN merger AS g ON w.party_id IN (g.absorbed_id, g.survivor_id)
    INNER JOIN party AS o ON o.party_id = g.absorbed_id + g.survivor_id - w.party_id
)

SELECT s.no AS act_no, s.recorded_at, e.what, e.why, a.actor, p.maker AS proposed_by
FROM event AS e
INNER JOIN act AS a ON a.act_id = e.act_id
INNER JOIN seal AS s ON s.act_id = e.act_id
LEFT JOIN decision AS d ON d.act_id = e.act_id
LEFT JOIN proposal AS p ON p.act_id = d.proposal_act_id
ORDER BY s.no, e.what

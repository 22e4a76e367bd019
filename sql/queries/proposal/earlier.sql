-- grain:  one row: how many proposals of a kind under a stem of references have been decided, and the one that waits
-- params: kind, stem
SELECT count(d.act_id) AS decided, min(p.act_id) FILTER (WHERE d.act_id IS NULL) AS waiting
FROM act AS a
INNER JOIN proposal AS p ON p.act_id = a.act_id
LEFT JOIN decision AS d ON d.proposal_act_id = p.act_id
WHERE a.kind = :kind AND starts_with(a.reference, :stem)

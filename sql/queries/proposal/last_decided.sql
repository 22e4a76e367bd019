-- grain:  one row: the last decided proposal of a kind under a stem of references
-- params: kind, stem
SELECT p.act_id, d.verdict, p.payload
FROM act AS a
INNER JOIN proposal AS p ON p.act_id = a.act_id
INNER JOIN decision AS d ON d.proposal_act_id = p.act_id
WHERE a.kind = :kind AND starts_with(a.reference, :stem)
ORDER BY p.act_id DESC
LIMIT 1

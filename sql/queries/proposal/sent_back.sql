-- grain:  one row: how often a proposal under a document's reference was sent back or withdrawn
-- params: kind (of proposal), reference (of the document)
SELECT count(*) AS times
FROM proposal AS p
INNER JOIN decision AS d ON d.proposal_act_id = p.act_id AND d.verdict <> 'approved'
WHERE p.kind = :kind AND CAST(p.payload AS jsonb) ->> 'reference' = :reference

-- grain:  one row: how often a document's appropriation was sent back or withdrawn
-- params: reference (of the document)
SELECT count(*) AS times
FROM proposal AS p
INNER JOIN decision AS d ON d.proposal_act_id = p.act_id AND d.verdict <> 'approved'
WHERE p.kind = 'appropriation' AND CAST(p.payload AS jsonb) ->> 'reference' = :reference

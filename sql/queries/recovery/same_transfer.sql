-- grain:  one row: how often this repayment was sent back or withdrawn; what is entered of the same transfer, in fen
-- params: number (of the invoice), reference (of the bank)
SELECT
    count(*) FILTER (WHERE q.number = :number AND d.verdict <> 'approved') AS times,
    CAST(coalesce(sum(q.amount_fen) FILTER (WHERE coalesce(d.verdict, 'approved') = 'approved'), 0) AS bigint)
        AS others_fen
FROM (
    SELECT
        p.act_id, CAST(p.payload AS jsonb) ->> 'invoice_number' AS number,
        CAST(CAST(p.payload AS jsonb) ->> 'amount_fen' AS bigint) AS amount_fen
    FROM proposal AS p
    WHERE p.kind = 'recovery_return' AND CAST(p.payload AS jsonb) ->> 'reference' = :reference
) AS q
LEFT JOIN decision AS d ON d.proposal_act_id = q.act_id

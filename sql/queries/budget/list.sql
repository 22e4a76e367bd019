-- grain:  one row per fiscal year that had been given money by the cutoff; amounts in fen as they stood then
-- params: cutoff (seal number)
-- What comes back once the year is closed goes to what is returned at once: it is in both sums.
WITH moved AS (
    SELECT a.year, a.kind, t.amount_fen AS fen, o.kind AS other
    FROM account AS a
    INNER JOIN transfer AS t ON t.credit_account_id = a.account_id
    INNER JOIN seal AS s ON s.act_id = t.act_id AND s.no <= CAST(:cutoff AS bigint)
    INNER JOIN account AS o ON o.account_id = t.debit_account_id
    WHERE a.kind IN ('appropriation', 'returned')
    UNION ALL
    SELECT a.year, a.kind, -t.amount_fen, o.kind
    FROM account AS a
    INNER JOIN transfer AS t ON t.debit_account_id = a.account_id
    INNER JOIN seal AS s ON s.act_id = t.act_id AND s.no <= CAST(:cutoff AS bigint)
    INNER JOIN account AS o ON o.account_id = t.credit_account_id
    WHERE a.kind IN ('appropriation', 'returned')
)

SELECT
    m.year, CAST(coalesce(sum(m.fen) FILTER (WHERE m.other = 'treasury'), 0) AS bigint) AS appropriated_fen,
    CAST(coalesce(-sum(m.fen) FILTER (WHERE m.other = 'payable' AND m.fen < 0), 0) AS bigint) AS granted_fen,
    CAST(coalesce(sum(m.fen) FILTER (WHERE m.fen > 0 AND m.other NOT IN ('treasury', 'appropriation')), 0) AS bigint)
        AS back_fen,
    CAST(coalesce(sum(m.fen) FILTER (WHERE m.kind = 'returned'), 0) AS bigint) AS returned_fen,
    CAST(coalesce(sum(m.fen) FILTER (WHERE m.kind = 'appropriation'), 0) AS bigint) AS left_fen,
    m.year IN (SELECT y.subject_id FROM state_at('fiscal_year', CAST(:cutoff AS bigint)) AS y) AS closed
FROM moved AS m
GROUP BY m.year
ORDER BY m.year

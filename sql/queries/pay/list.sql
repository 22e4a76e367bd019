-- grain:  one row per batch proposed by the cutoff, oldest first; amounts in fen by what had become of its payments
-- params: batch (null for all), cutoff (seal number)
SELECT
    b.batch_id, b.run_id, coalesce(d.verdict, 'proposed') AS state, q.maker, d.decided_by AS checker, b.payments,
    b.amount_fen,
    CAST(coalesce(sum(p.amount_fen) FILTER (WHERE p.state = 'in_transit'), 0) AS bigint) AS in_transit_fen,
    CAST(coalesce(sum(p.amount_fen) FILTER (WHERE p.state = 'paid'), 0) AS bigint) AS paid_fen,
    CAST(coalesce(sum(p.amount_fen) FILTER (WHERE p.state = 'returned'), 0) AS bigint) AS returned_fen,
    r.programme_id, r.through_on, r.fiscal_year, s.recorded_at AS approved_at, a.effective_on AS approved_on
FROM payment_batch AS b
INNER JOIN run AS r ON r.run_id = b.run_id
INNER JOIN proposal AS q ON q.act_id = b.batch_id
LEFT JOIN decision_at(CAST(:cutoff AS bigint)) AS d ON d.proposal_act_id = b.batch_id
LEFT JOIN seal AS s ON s.act_id = d.act_id
LEFT JOIN act AS a ON a.act_id = d.act_id
INNER JOIN payment_at(CAST(:cutoff AS bigint)) AS p ON p.batch_id = b.batch_id
WHERE CAST(:batch AS bigint) IS NULL OR b.batch_id = CAST(:batch AS bigint)
GROUP BY
    b.batch_id, d.verdict, q.maker, d.decided_by, r.programme_id, r.through_on, r.fiscal_year, s.recorded_at,
    a.effective_on
ORDER BY b.batch_id

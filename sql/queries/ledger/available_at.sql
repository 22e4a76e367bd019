-- grain:  one row: the unspent appropriation of a fiscal year as of a seal number
-- params: fiscal_year, cutoff (seal number)
-- The kept balance without what later acts moved, so that few transfers are read.
SELECT
    CAST(coalesce(sum(a.balance_fen), 0) - coalesce((
        SELECT sum(CASE WHEN t.credit_account_id = b.account_id THEN t.amount_fen ELSE -t.amount_fen END)
        FROM seal AS s
        INNER JOIN transfer AS t ON t.act_id = s.act_id
        INNER JOIN account AS b
            ON b.kind = 'appropriation' AND b.year = CAST(:fiscal_year AS integer)
            AND b.account_id IN (t.debit_account_id, t.credit_account_id)
        WHERE s.no > CAST(:cutoff AS bigint)
    ), 0) AS bigint) AS available_fen
FROM account AS a
WHERE a.kind = 'appropriation' AND a.year = CAST(:fiscal_year AS integer)

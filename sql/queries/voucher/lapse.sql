-- grain:  inserts one transfer per voucher with something left: what is left goes to lapsed, at most the amount given;
--         what the same act has put on the voucher or taken off it counts, though its balance is not kept yet
-- params: ids (bigint[]), amounts (bigint[], fen, in the order of ids), act_id
INSERT INTO transfer (company_id, act_id, transfer_no, debit_account_id, credit_account_id, amount_fen)
SELECT
    v.company_id, CAST(:act_id AS bigint),
    (SELECT count(*) FROM transfer AS t WHERE t.act_id = CAST(:act_id AS bigint))
    + row_number() OVER (ORDER BY v.voucher_id),
    l.account_id, o.account_id, least(x.amount_fen, l.left_fen)
FROM unnest(CAST(:ids AS bigint[]), CAST(:amounts AS bigint[])) AS x (voucher_id, amount_fen)
INNER JOIN voucher AS v ON v.voucher_id = x.voucher_id
CROSS JOIN LATERAL (
    SELECT
        a.account_id,
        a.balance_fen + coalesce((
            SELECT sum(CASE WHEN t.credit_account_id = a.account_id THEN t.amount_fen ELSE -t.amount_fen END)
            FROM transfer AS t
            WHERE
                t.company_id = v.company_id AND t.act_id = CAST(:act_id AS bigint)
                AND a.account_id IN (t.credit_account_id, t.debit_account_id)
        ), 0) AS left_fen
    FROM account AS a
    WHERE
        a.programme_id = v.programme_id AND a.company_id = v.company_id AND a.year = v.cap_year AND a.kind = 'voucher'
) AS l
INNER JOIN account AS o
    ON o.programme_id = v.programme_id AND o.company_id = v.company_id AND o.year = v.cap_year AND o.kind = 'lapsed'
WHERE least(x.amount_fen, l.left_fen) > 0

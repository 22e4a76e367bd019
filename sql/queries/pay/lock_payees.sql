-- grain:  one row per money account of the payees in the news, locked in ascending order
-- params: none (reads told)
-- Whoever moves the money of a line locks its company's accounts first, and only then asks where the money is.
SELECT a.account_id
FROM account AS a
WHERE
    a.kind IN ('payable', 'in_transit', 'paid', 'recoverable')
    AND a.company_id IN (
        SELECT p.payee_id FROM told AS t
        INNER JOIN payment AS p ON p.payment_id = t.payment_id
        WHERE t.verdict = 'fresh'
    )
ORDER BY a.account_id
FOR NO KEY UPDATE

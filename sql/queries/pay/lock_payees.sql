-- grain:  one row per money account of the companies in the news, locked in ascending order
-- params: none (reads told)
-- Whoever moves the money of a line locks its company's accounts first, and only then asks where the money is.
SELECT a.account_id
FROM account AS a
WHERE
    a.kind IN ('payable', 'in_transit', 'paid', 'recoverable')
    AND a.company_id IN (
        SELECT l.company_id FROM told AS t
        INNER JOIN payment_line AS l ON l.payment_id = t.payment_id
        WHERE t.verdict = 'fresh'
    )
ORDER BY a.account_id
FOR NO KEY UPDATE

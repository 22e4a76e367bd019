-- grain:  one row per money account of the companies that a run recovers from, locked in ascending order
-- params: run_id
-- Whoever moves the money of a line locks its company's accounts first, and only then asks where the money is.
SELECT a.account_id
FROM account AS a
WHERE
    a.kind IN ('payable', 'in_transit', 'paid', 'recoverable')
    AND a.company_id IN (
        SELECT l.company_id FROM run_line AS l WHERE l.run_id = CAST(:run_id AS bigint) AND l.granted_fen < 0
    )
ORDER BY a.account_id
FOR NO KEY UPDATE

-- grain:  one row per advisory lock taken: 256 buckets of invoice numbers
-- params: none (reads stage)
-- A red-letter takes its blue's bucket alone, a blue shares its own: of two uploads at the same time one sees the
-- other's invoice. Ascending, so that two uploads never wait for each other.
SELECT
    CASE
        WHEN bool_or(b.alone) THEN pg_advisory_xact_lock(1129794819, b.bucket) IS NULL
        ELSE pg_advisory_xact_lock_shared(1129794819, b.bucket) IS NULL
    END AS locked
FROM (
    SELECT hashtext(s.invoice_number) & 255 AS bucket, FALSE AS alone
    FROM stage AS s
    WHERE s.invoice_kind = 'blue' AND s.invoice_number IS NOT NULL
    UNION
    SELECT hashtext(s.original_number) & 255, TRUE
    FROM stage AS s
    WHERE s.invoice_kind = 'red' AND s.original_number IS NOT NULL
    ORDER BY bucket
) AS b
GROUP BY b.bucket
ORDER BY b.bucket

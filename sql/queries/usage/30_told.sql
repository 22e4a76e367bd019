-- grain:  temporary table told, one row per invoice number of a file of usage: whose it is, and what forbids to take it
-- params: provider (USCC or empty), mode (add, replace, return or empty), basis (net or gross), sha256 (hex)
-- Without a word on how it stands to what is known of an invoice, a file may add days that are not known yet; on days
-- that are, or with another basis, only a person knows. A file that counts is not added to itself. A return file holds
-- lines that are in no sum yet: it may add to days that are known from a file of which as many lines of the invoice, or
-- of none, have failed as it has. Of one that was corrected in part, then in full, not so many failed the first time.
CREATE TEMPORARY TABLE told ON COMMIT DROP AS
WITH total AS (
    SELECT u.number, CAST(sum(u.lines) AS bigint) AS lines, sum(u.metered_yuan) AS metered_yuan
    FROM used AS u
    GROUP BY u.number
),

named AS (
    SELECT t.number, t.lines, t.metered_yuan, n.company_id, n.invoice_id, i.kind, p.uscc AS provider_uscc
    FROM total AS t
    LEFT JOIN invoice_number AS n ON n.number = t.number
    LEFT JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
    LEFT JOIN party AS p ON p.party_id = i.provider_id
),

waiting AS ( -- what another provider handed in about an invoice to come is never taken up with it
    SELECT h.invoice_number, h.upload_id, h.basis, h.replaces, w.provider_uscc
    FROM held_usage AS h
    INNER JOIN named AS k ON k.number = h.invoice_number AND k.invoice_id IS NULL
    INNER JOIN upload AS w ON w.upload_id = h.upload_id
    WHERE CAST(:provider AS text) = '' OR w.provider_uscc IN ('', CAST(:provider AS text))
),

failed AS (
    SELECT k.number, count(f.row_no) AS lines
    FROM named AS k
    LEFT JOIN usage_failed AS f ON f.invoice_number IN ('', k.number)
    GROUP BY k.number
),

known AS (
    SELECT k.number, m.upload_id, m.basis
    FROM named AS k
    INNER JOIN metering_at(9223372036854775807) AS m
        ON m.company_id = k.company_id AND m.invoice_id = k.invoice_id
    UNION
    SELECT h.invoice_number, h.upload_id, h.basis
    FROM waiting AS h
    WHERE NOT EXISTS (
        SELECT FROM waiting AS l
        WHERE
            l.invoice_number = h.invoice_number AND l.upload_id > h.upload_id AND l.replaces
            AND (CAST(:provider AS text) <> '' OR l.provider_uscc IN ('', h.provider_uscc))
    )
),

whole AS (
    SELECT o.number, o.upload_id
    FROM known AS o
    INNER JOIN named AS k ON k.number = o.number
    INNER JOIN failed AS f ON f.number = o.number
    WHERE
        CAST(:mode AS text) <> 'return'
        OR k.lines + f.lines > (
            SELECT count(*) FROM upload_row AS r
            WHERE r.upload_id = o.upload_id AND r.invoice_number IN ('', o.number)
        )
),

again AS (
    SELECT u.number
    FROM used AS u
    INNER JOIN named AS k ON k.number = u.number
    INNER JOIN whole AS o ON o.number = u.number
    INNER JOIN usage_day AS d
        ON d.company_id = k.company_id AND d.invoice_id = k.invoice_id AND d.upload_id = o.upload_id
        AND d.used_on = u.used_on
    UNION
    SELECT u.number
    FROM used AS u
    INNER JOIN whole AS o ON o.number = u.number
    INNER JOIN held_usage AS h
        ON h.upload_id = o.upload_id AND h.invoice_number = o.number AND h.used_on = u.used_on
)

SELECT
    k.number, k.lines, k.metered_yuan, k.company_id, k.invoice_id,
    CASE
        WHEN abs(k.metered_yuan) >= 100000000000 THEN 'usage_too_large'
        WHEN k.kind = 'red' THEN 'usage_of_red'
        WHEN CAST(:provider AS text) <> '' AND k.provider_uscc <> CAST(:provider AS text) THEN 'usage_not_yours'
        WHEN CAST(:mode AS text) = 'replace' THEN NULL
        WHEN EXISTS (
            SELECT FROM known AS o
            INNER JOIN upload AS w ON w.upload_id = o.upload_id
            WHERE o.number = k.number AND w.sha256 = decode(:sha256, 'hex')
        ) THEN 'usage_same_file'
        WHEN EXISTS (SELECT FROM known AS o WHERE o.number = k.number AND o.basis <> CAST(:basis AS text))
            OR (CAST(:mode AS text) IN ('', 'return') AND k.number IN (SELECT a.number FROM again AS a))
            THEN 'usage_overlaps'
    END AS fault
FROM named AS k

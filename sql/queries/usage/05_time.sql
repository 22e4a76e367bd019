-- grain:  one row: the how manieth time a file of usage is taken for an invoice and a provider
-- params: reference (of its acts, without the time), mode (add, replace or empty)
-- It is the last time over again, whose answer is given, as long as no other file has replaced any of what it said, and
-- none counts beside it that it is to replace; after that the same file is news.
WITH earlier AS (
    SELECT max(a.act_id) AS upload_id, count(*) AS times
    FROM act AS a
    WHERE a.kind = 'usage' AND a.reference > :reference AND a.reference < :reference || '~'
),

-- what else was said of its invoices: whether later, and in place of the rest
other AS (
    SELECT ARRAY[l.no, o.upload_id] > ARRAY[s.no, m.upload_id] AS later, o.replaces, m.replaces AS replacing
    FROM earlier AS e
    INNER JOIN metering AS m ON m.upload_id = e.upload_id
    INNER JOIN seal AS s ON s.act_id = m.act_id
    INNER JOIN metering AS o
        ON o.company_id = m.company_id AND o.invoice_id = m.invoice_id AND o.upload_id <> m.upload_id
    INNER JOIN seal AS l ON l.act_id = o.act_id
    UNION ALL
    SELECT o.upload_id > h.upload_id, o.replaces, h.replaces
    FROM earlier AS e
    INNER JOIN upload AS u ON u.upload_id = e.upload_id
    INNER JOIN held_usage AS h ON h.upload_id = e.upload_id
    INNER JOIN held_usage AS o ON o.invoice_number = h.invoice_number AND o.upload_id <> h.upload_id
    INNER JOIN upload AS w ON w.upload_id = o.upload_id
    LEFT JOIN invoice_number AS n ON n.number = h.invoice_number
    WHERE n.number IS NULL AND ('' IN (u.provider_uscc, w.provider_uscc) OR w.provider_uscc = u.provider_uscc)
)

SELECT
    e.times + CASE
        WHEN e.times = 0 THEN 1
        WHEN EXISTS (SELECT FROM other AS o WHERE o.later AND o.replaces) THEN 1
        WHEN :mode = 'replace' AND EXISTS (SELECT FROM other AS o WHERE o.later OR NOT o.replacing) THEN 1
        ELSE 0
    END AS time
FROM earlier AS e

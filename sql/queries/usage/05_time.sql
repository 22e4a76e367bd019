-- grain:  one row: the how manieth time a file of usage is taken for an invoice and a provider
-- params: reference (of its acts, without the time)
-- It is the last time over again, whose answer is given, as long as no other file has replaced any of what it said;
-- after that the same file is news.
WITH earlier AS (
    SELECT max(a.act_id) AS upload_id, count(*) AS times
    FROM act AS a
    WHERE a.kind = 'usage' AND a.reference > :reference AND a.reference < :reference || '~'
),

replaced AS (
    SELECT m.upload_id
    FROM earlier AS e
    INNER JOIN metering AS m ON m.upload_id = e.upload_id
    INNER JOIN seal AS s ON s.act_id = m.act_id
    INNER JOIN metering AS r ON r.company_id = m.company_id AND r.invoice_id = m.invoice_id AND r.replaces
    INNER JOIN seal AS l ON l.act_id = r.act_id
    WHERE ARRAY[l.no, r.upload_id] > ARRAY[s.no, m.upload_id]
    UNION ALL
    SELECT h.upload_id
    FROM earlier AS e
    INNER JOIN upload AS u ON u.upload_id = e.upload_id
    INNER JOIN held_usage AS h ON h.upload_id = e.upload_id
    INNER JOIN held_usage AS l ON l.invoice_number = h.invoice_number AND l.upload_id > h.upload_id AND l.replaces
    INNER JOIN upload AS w ON w.upload_id = l.upload_id
    LEFT JOIN invoice_number AS n ON n.number = h.invoice_number
    WHERE n.number IS NULL AND ('' IN (u.provider_uscc, w.provider_uscc) OR w.provider_uscc = u.provider_uscc)
)

SELECT e.times + CASE WHEN e.times = 0 OR EXISTS (SELECT FROM replaced) THEN 1 ELSE 0 END AS time
FROM earlier AS e

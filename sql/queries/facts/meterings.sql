-- grain:  one row per invoice and file of usage recorded by the cutoff, with its days, in order of recording
-- params: cutoff (seal number), first_id, last_id (companies, inclusive)
WITH told AS (
    SELECT n.number, m.company_id, m.invoice_id, m.upload_id, m.basis, m.replaces, m.metered_yuan, s.no
    FROM metering AS m
    INNER JOIN seal AS s ON s.act_id = m.act_id
    INNER JOIN invoice AS n ON n.company_id = m.company_id AND n.invoice_id = m.invoice_id
    WHERE
        s.no <= CAST(:cutoff AS bigint)
        AND m.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
),

used AS (
    SELECT d.company_id, d.invoice_id, d.upload_id, d.used_on, sum(d.metered_yuan) AS yuan
    FROM told AS t
    INNER JOIN usage_day AS d
        ON d.company_id = t.company_id AND d.invoice_id = t.invoice_id AND d.upload_id = t.upload_id
    GROUP BY d.company_id, d.invoice_id, d.upload_id, d.used_on
),

listed AS (
    SELECT
        u.company_id, u.invoice_id, u.upload_id, array_agg(u.used_on ORDER BY u.used_on) AS used_on,
        array_agg(u.yuan ORDER BY u.used_on) AS used_yuan
    FROM used AS u
    GROUP BY u.company_id, u.invoice_id, u.upload_id
)

SELECT
    t.number AS invoice_number, t.upload_id, t.basis, t.replaces, t.metered_yuan, t.no,
    coalesce(l.used_on, '{}') AS used_on, coalesce(l.used_yuan, '{}') AS used_yuan
FROM told AS t
LEFT JOIN listed AS l ON l.company_id = t.company_id AND l.invoice_id = t.invoice_id AND l.upload_id = t.upload_id
ORDER BY t.no, t.upload_id, t.number

-- check:  the register of invoice numbers and the accepted invoices are the same list
-- title:  发票号码登记与发票一致
-- grain:  one row per number that is only in one of them, or means another invoice; no rows means all is well
-- params: none
-- source: DESIGN 7, one number is one invoice
WITH unregistered AS (
    SELECT i.act_id, i.number, n.number IS NULL AS missing
    FROM invoice AS i
    LEFT JOIN invoice_number AS n ON n.number = i.number
    WHERE n.company_id IS DISTINCT FROM i.company_id OR n.invoice_id IS DISTINCT FROM i.invoice_id
),

-- a number is registered once, so with each invoice under its own number only a longer register has more
surplus AS (
    SELECT n.number
    FROM invoice_number AS n
    LEFT JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
    WHERE
        i.invoice_id IS NULL
        AND (
            (SELECT count(*) FROM invoice_number) <> (SELECT count(*) FROM invoice)
            OR EXISTS (SELECT FROM unregistered)
        )
)

SELECT
    s.no AS act_no, u.number AS subject,
    CASE WHEN u.missing THEN '发票已受理，但号码没有登记。' ELSE '发票已受理，但号码登记在另一张发票名下。' END AS detail
FROM unregistered AS u
LEFT JOIN seal AS s ON s.act_id = u.act_id
UNION ALL
SELECT NULL, r.number, '号码已登记，但没有对应的发票。'
FROM surplus AS r
ORDER BY act_no, subject

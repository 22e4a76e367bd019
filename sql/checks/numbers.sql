-- check:  the register of invoice numbers and the accepted invoices are the same list
-- title:  发票号码登记与发票一致
-- grain:  one row per number that is only in one of them, or means another invoice; no rows means all is well
-- params: none
-- source: DESIGN 7, one number is one invoice
SELECT
    s.no AS act_no, coalesce(n.number, i.number) AS subject,
    CASE
        WHEN i.invoice_id IS NULL THEN '号码已登记，但没有对应的发票。'
        WHEN n.number IS NULL THEN '发票已受理，但号码没有登记。'
        ELSE format('登记的号码与发票上的%s不同。', i.number)
    END AS detail
FROM invoice_number AS n
FULL JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
LEFT JOIN seal AS s ON s.act_id = i.act_id
WHERE n.number IS DISTINCT FROM i.number
ORDER BY s.no, subject

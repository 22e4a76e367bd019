-- check:  every fact belongs to an act that is there and sealed
-- title:  每条记录都有封存的办理
-- grain:  one row per table and act that is missing; no rows means all is well
-- params: none
-- source: DESIGN 5, act; the tables are those of voucher/sealed.py
WITH fact AS (
    SELECT 'app_user' AS kind, t.act_id FROM app_user AS t WHERE t.name <> 'system'
    UNION ALL
    SELECT 'programme', t.act_id FROM programme AS t
    UNION ALL
    SELECT 'policy', t.act_id FROM policy AS t
    UNION ALL
    SELECT 'party', t.act_id FROM party AS t
    UNION ALL
    SELECT 'party_name', t.act_id FROM party_name AS t
    UNION ALL
    SELECT 'qualification', t.act_id FROM qualification AS t
    UNION ALL
    SELECT 'bank_account', t.act_id FROM bank_account AS t
    UNION ALL
    SELECT 'listing', t.act_id FROM listing AS t
    UNION ALL
    SELECT 'relation', t.act_id FROM relation AS t
    UNION ALL
    SELECT 'subsidy', t.act_id FROM subsidy AS t
    UNION ALL
    SELECT 'invoice_payment', t.act_id FROM invoice_payment AS t
    UNION ALL
    SELECT 'document', t.act_id FROM document AS t
    UNION ALL
    SELECT 'upload', t.upload_id FROM upload AS t
    UNION ALL
    SELECT 'upload_row', t.upload_id FROM upload_row AS t
    UNION ALL
    SELECT 'upload_problem', t.upload_id FROM upload_problem AS t
    UNION ALL
    SELECT 'held_row', t.upload_id FROM held_row AS t
    UNION ALL
    SELECT 'invoice', t.act_id FROM invoice AS t
    UNION ALL
    SELECT 'proposal', t.act_id FROM proposal AS t
    UNION ALL
    SELECT 'decision', t.act_id FROM decision AS t
    UNION ALL
    SELECT 'run', t.act_id FROM run AS t
    UNION ALL
    SELECT 'voucher', t.act_id FROM voucher AS t
    UNION ALL
    SELECT 'move', t.act_id FROM move AS t
    UNION ALL
    SELECT 'transfer', t.act_id FROM transfer AS t
),

counted AS (
    SELECT f.kind, f.act_id, count(*) AS rows FROM fact AS f GROUP BY f.kind, f.act_id
    UNION ALL
    SELECT 'invoice_line', NULL, count(*)
    FROM invoice_line AS l
    LEFT JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
    WHERE i.invoice_id IS NULL
    HAVING count(*) > 0
    UNION ALL
    SELECT 'run_line', NULL, count(*)
    FROM run_line AS l
    LEFT JOIN run AS r ON r.run_id = l.run_id
    WHERE r.run_id IS NULL
    HAVING count(*) > 0
)

SELECT
    CAST(NULL AS bigint) AS act_no, c.kind AS subject,
    format('%s条记录不属于任何已封存的办理（办理 %s）。', c.rows, coalesce(c.act_id || '', '无')) AS detail
FROM counted AS c
LEFT JOIN seal AS s ON s.act_id = c.act_id
WHERE s.act_id IS NULL
ORDER BY c.kind, c.act_id

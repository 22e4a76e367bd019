-- check:  every fact belongs to an act that is there and sealed
-- title:  每条记录都有封存的办理
-- grain:  one row per table and act that is missing; no rows means all is well
-- params: none
-- source: DESIGN 5, act; the tables are those of voucher/sealed.py; lines of invoices are in upload_rows
WITH fact AS (
    SELECT 'app_user' AS kind, t.act_id, 1 AS rows FROM app_user AS t WHERE (t.name, t.role) <> ('system', 'system')
    UNION ALL
    SELECT 'programme', t.act_id, 1 FROM programme AS t
    UNION ALL
    SELECT 'policy', t.act_id, 1 FROM policy AS t
    UNION ALL
    SELECT 'party', t.act_id, 1 FROM party AS t
    UNION ALL
    SELECT 'party_name', t.act_id, 1 FROM party_name AS t
    UNION ALL
    SELECT 'qualification', t.act_id, 1 FROM qualification AS t
    UNION ALL
    SELECT 'bank_account', t.act_id, 1 FROM bank_account AS t
    UNION ALL
    SELECT 'listing', t.act_id, 1 FROM listing AS t
    UNION ALL
    SELECT 'relation', t.act_id, 1 FROM relation AS t
    UNION ALL
    SELECT 'subsidy', t.act_id, 1 FROM subsidy AS t
    UNION ALL
    SELECT 'invoice_payment', t.act_id, 1 FROM invoice_payment AS t
    UNION ALL
    SELECT 'verification', t.act_id, 1 FROM verification AS t
    UNION ALL
    SELECT 'document', t.act_id, 1 FROM document AS t
    UNION ALL
    SELECT 'upload', t.upload_id, 1 FROM upload AS t
    UNION ALL
    SELECT 'upload_row', t.upload_id, count(*) FROM upload_row AS t GROUP BY t.upload_id
    UNION ALL
    SELECT 'upload_problem', t.upload_id, count(*) FROM upload_problem AS t GROUP BY t.upload_id
    UNION ALL
    SELECT 'held_row', t.upload_id, 1 FROM held_row AS t
    UNION ALL
    SELECT 'mapping', t.act_id, 1 FROM mapping AS t
    UNION ALL
    SELECT 'invoice', t.act_id, count(*) FROM invoice AS t GROUP BY t.act_id
    UNION ALL
    SELECT 'evidence', t.act_id, 1 FROM evidence AS t
    UNION ALL
    SELECT 'evidence_line', t.act_id, count(*) FROM evidence_line AS t GROUP BY t.act_id
    UNION ALL
    SELECT 'metering', t.act_id, 1 FROM metering AS t
    UNION ALL
    SELECT 'usage_day', t.act_id, count(*) FROM usage_day AS t GROUP BY t.act_id
    UNION ALL
    SELECT 'held_usage', t.upload_id, count(*) FROM held_usage AS t GROUP BY t.upload_id
    UNION ALL
    SELECT 'resolution', t.act_id, 1 FROM resolution AS t
    UNION ALL
    SELECT 'proposal', t.act_id, 1 FROM proposal AS t
    UNION ALL
    SELECT 'decision', t.act_id, 1 FROM decision AS t
    UNION ALL
    SELECT 'run', t.act_id, 1 FROM run AS t
    UNION ALL
    SELECT 'account', t.act_id, 1 FROM account AS t
    UNION ALL
    SELECT 'voucher', t.act_id, 1 FROM voucher AS t
    UNION ALL
    SELECT 'move', t.act_id, 1 FROM move AS t
    UNION ALL
    SELECT 'merger', t.act_id, 1 FROM merger AS t
    UNION ALL
    SELECT 'disclosure', t.act_id, 1 FROM disclosure AS t
    UNION ALL
    SELECT 'objection', t.act_id, 1 FROM objection AS t
    UNION ALL
    SELECT 'absorbed_use', t.act_id, count(*) FROM absorbed_use AS t GROUP BY t.act_id
    UNION ALL
    SELECT 'refusal', t.act_id, 1 FROM refusal AS t
    UNION ALL
    SELECT 'contract', t.act_id, 1 FROM contract AS t
    UNION ALL
    SELECT 'recovery_notice', t.act_id, 1 FROM recovery_notice AS t
    UNION ALL
    SELECT 'payment_batch', t.act_id, 1 FROM payment_batch AS t
    UNION ALL
    SELECT 'payment', t.act_id, count(*) FROM payment AS t GROUP BY t.act_id
    UNION ALL
    SELECT 'payment_line', t.act_id, count(*) FROM payment_line AS t GROUP BY t.act_id
    UNION ALL
    SELECT 'payment_result', t.act_id, count(*) FROM payment_result AS t GROUP BY t.act_id
    UNION ALL
    SELECT 'bank_statement', t.statement_id, 1 FROM bank_statement AS t
    UNION ALL
    SELECT 'bank_line', t.statement_id, count(*) FROM bank_line AS t GROUP BY t.statement_id
    UNION ALL
    SELECT 'bank_match', t.act_id, 1 FROM bank_match AS t
    UNION ALL
    SELECT 'flag_decision', t.act_id, 1 FROM flag_decision AS t
    UNION ALL
    SELECT 'transfer', t.act_id, count(*) FROM transfer AS t GROUP BY t.act_id
),

counted AS (
    SELECT f.kind, f.act_id, sum(f.rows) AS rows FROM fact AS f GROUP BY f.kind, f.act_id
    UNION ALL
    SELECT 'run_line', NULL, sum(l.rows)
    FROM (SELECT n.run_id, count(*) AS rows FROM run_line AS n GROUP BY n.run_id) AS l
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

-- check:  a recorded policy document has the digest that it states, and that each run which used it states
-- title:  政策文件与登记的摘要一致
-- grain:  one row per document that differs; no rows means all is well
-- params: none
-- source: DESIGN 6, policy documents: every line stores the document's id and sha256
SELECT s.no AS act_no, p.policy_id AS subject, '政策文件正文与登记的摘要不符。' AS detail
FROM policy AS p
LEFT JOIN seal AS s ON s.act_id = p.act_id
WHERE p.sha256 <> sha256(convert_to(p.body, 'UTF8'))
UNION ALL
SELECT
    s.no, x.used ->> 'id',
    format('批次%s所用政策文件的摘要%s与登记的不符。', r.run_id, left(x.used ->> 'sha256', 16))
FROM run AS r
INNER JOIN seal AS s ON s.act_id = r.act_id
CROSS JOIN LATERAL jsonb_array_elements(CAST(r.policies AS jsonb)) AS x (used)
LEFT JOIN policy AS p ON p.policy_id = x.used ->> 'id'
WHERE encode(p.sha256, 'hex') IS DISTINCT FROM x.used ->> 'sha256'
ORDER BY act_no, subject

-- grain:  temporary table singled, one row per invoice of which a draft must know more than its amount; the claims of
--         all others are new, worth what is computed, and wait for nothing
-- params: none (reads doc, added, bill, limited, metered, served, refused, room)
CREATE TEMPORARY TABLE singled ON COMMIT DROP AS
SELECT x.company_id, x.invoice_id FROM added AS x WHERE x.other_fen > 0 OR x.net_fen IS NOT NULL
UNION
SELECT m.company_id, m.invoice_id FROM limited AS m
UNION
SELECT g.company_id, g.invoice_id FROM metered AS g
UNION
SELECT s.company_id, s.invoice_id FROM served AS s
UNION
SELECT f.company_id, f.invoice_id FROM refused AS f
UNION
SELECT b.company_id, b.invoice_id
FROM bill AS b
INNER JOIN room AS r ON r.company_id = b.company_id
WHERE r.frozen OR r.spend_fen IS NOT NULL
UNION
SELECT b.company_id, b.invoice_id
FROM bill AS b
INNER JOIN doc AS d ON d.doc_no = b.doc_no
WHERE d.verify OR d.overlap = 'joint_limit'

-- grain:  inserts a match by hand: one row per payment, one without a payment when there is none
-- params: act_id, statement_id, row_no, payments (bigint[]), why
INSERT INTO bank_match (act_id, place, statement_id, row_no, payment_id, why)
SELECT
    CAST(:act_id AS bigint), row_number() OVER (ORDER BY p.payment_id), CAST(:statement_id AS bigint),
    CAST(:row_no AS bigint), p.payment_id, CAST(:why AS text)
FROM (
    SELECT unnest(CAST(:payments AS bigint[])) AS payment_id
    UNION ALL
    SELECT NULL WHERE cardinality(CAST(:payments AS bigint[])) = 0
) AS p

-- grain:  inserts one row per voucher of a survivor: what the absorbed company had been granted of the same year
-- params: absorbed_id, ids (bigint[], vouchers), amounts (bigint[], fen, in the order of ids), act_id
INSERT INTO absorbed_use (voucher_id, absorbed_id, company_id, used_fen, act_id)
SELECT v.voucher_id, CAST(:absorbed_id AS bigint), v.company_id, x.used_fen, CAST(:act_id AS bigint)
FROM unnest(CAST(:ids AS bigint[]), CAST(:amounts AS bigint[])) AS x (voucher_id, used_fen)
INNER JOIN voucher AS v ON v.voucher_id = x.voucher_id

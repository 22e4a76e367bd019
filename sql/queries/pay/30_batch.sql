-- grain:  inserts one batch
-- params: run_id, payments, amount_fen, act_id
INSERT INTO payment_batch (batch_id, run_id, payments, amount_fen, act_id)
VALUES (:act_id, :run_id, :payments, :amount_fen, :act_id)

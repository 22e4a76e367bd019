-- grain:  writes payments and as many statement lines: half carry the payment's reference, nine in twenty only the
--         payee and the amount, one in twenty is one of two payments that the bank booked as one line
-- params: rows; run as superuser with foreign keys and triggers off
CREATE TEMPORARY TABLE made AS
SELECT n, 1000000 + n AS id, CASE WHEN n %% 20 = 19 THEN n - 1 ELSE n END AS payee
FROM generate_series(1, %(rows)s) AS n;

INSERT INTO cvl.act (act_id, kind, reference, actor, effective_on, request_sha256)
SELECT 900000 + k, 'bench', k || '', 'system', '2026-07-01', sha256('') FROM generate_series(1, 3) AS k;

INSERT INTO cvl.seal (
    no, act_id, recorded_at, accepted_before, accepted, body_sha256, body_sm3, chain_sha256, chain_sm3
)
SELECT 900000 + k, 900000 + k, now(), 0, 0, sha256(''), sha256(''), sha256(''), sha256('')
FROM generate_series(1, 3) AS k;

INSERT INTO cvl.bank_account (
    company_id, holder, bank, account_no, account_last4, account_salt, account_sha256, clearing_no, act_id, row_no
)
SELECT
    id, '合成企业' || payee, '银行', '6222000000001234', '1234', decode(repeat('ab', 16), 'hex'),
    sha256(decode(repeat('ab', 16), 'hex') || convert_to('6222000000001234', 'UTF8')), '1', 900001, n
FROM made;

INSERT INTO cvl.payment_batch (batch_id, run_id, payments, amount_fen, act_id) VALUES (900001, 1, %(rows)s, 1, 900001);

INSERT INTO cvl.decision (proposal_act_id, verdict, why, decided_by, act_id)
VALUES (900001, 'approved', '', 'system', 900002);

INSERT INTO cvl.payment (
    payment_id, batch_id, payment_no, payee_id, account_act_id, account_row_no, amount_fen, reference, act_id
)
SELECT id, 900001, n, id, 900001, n, 1000 + n %% 5000, 'CQV-1-' || n, 900001 FROM made;

INSERT INTO cvl.move (noun, subject_id, step, from_state, to_state, act_id)
SELECT 'payment', id, 1, 'none', 'in_transit', 900002 FROM made;

INSERT INTO cvl.bank_statement (statement_id, sha256, file_name, profile, rows, known)
VALUES (900003, sha256(''), 'bench', 'generic', 1, 0);

INSERT INTO cvl.bank_line (
    statement_id, row_no, booked_on, amount_fen, name, account_last4, serial, remark, reference, line_digest
)
SELECT
    900003, min(n), '2026-07-03', sum(1000 + n %% 5000), '合成企业' || payee, '1234', min(n) || '', '',
    CASE WHEN min(n) %% 2 = 1 AND count(*) = 1 THEN 'CQV-1-' || min(n) END, min(n) || ''
FROM made
GROUP BY payee;

INSERT INTO cvl.bank_line (
    statement_id, row_no, booked_on, amount_fen, name, account_last4, serial, remark, reference, line_digest
)
SELECT 900003, 10000000 + n, '2026-07-03', 99, '无关户' || n, '', '', '', NULL, 'x' || n
FROM made
WHERE n %% 20 = 0

"""What the state machine asks the books, each in a way of its own and not by the queries of the product."""

ACCOUNT = """
INSERT INTO bank_account (company_id, holder, bank, account_no, account_last4, account_salt, account_sha256,
    clearing_no, act_id, row_no)
SELECT party_id, '合成', '合成银行', '6222000000001234', '1234', decode(repeat('ab', 16), 'hex'),
    sha256(decode(repeat('ab', 16), 'hex') || convert_to('6222000000001234', 'UTF8')), '1', :act, party_id
FROM party WHERE party_id = ANY(:companies)
"""
NEGATIVE = "SELECT name FROM account WHERE balance_fen < 0 AND kind NOT IN ('authority', 'treasury')"
GRANTED = """
SELECT l.company_id, l.cap_year, CAST(sum(l.granted_fen) AS bigint) AS fen
FROM run_line AS l INNER JOIN run AS r USING (run_id)
INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
WHERE r.programme_id = :programme GROUP BY l.company_id, l.cap_year
"""
LINES = """
SELECT l.company_id, l.invoice_id, l.cap_year, l.granted_fen,
    coalesce((SELECT sum(p.amount_fen) FROM payment_line AS p INNER JOIN payment AS y USING (payment_id)
        WHERE y.batch_id = :batch AND (p.company_id, p.run_id, p.line_no) = (l.company_id, l.run_id, l.line_no)), 0)
        AS fen,
    coalesce((SELECT sum(p.amount_fen) FROM payment_line AS p INNER JOIN payment_at(9223372036854775807) AS y
        USING (payment_id) WHERE y.batch_id <> :batch AND y.state IN ('proposed', 'in_transit', 'paid')
        AND (p.company_id, p.run_id, p.line_no) = (l.company_id, l.run_id, l.line_no)), 0) AS earlier_fen
FROM run_line AS l WHERE l.run_id = :run AND l.granted_fen > 0
"""
TAKEN_EARLY = """
SELECT k.company_id, k.invoice_id, k.cap_year
FROM run AS r
INNER JOIN decision AS a ON a.proposal_act_id = r.proposal_act_id
INNER JOIN run_line AS l ON l.run_id = r.run_id AND l.kind = 'recovery'
INNER JOIN run_line AS k USING (company_id, invoice_id, cap_year)
INNER JOIN transfer AS t ON (t.company_id, t.run_id, t.line_no) = (k.company_id, k.run_id, k.line_no)
INNER JOIN account AS d ON d.account_id = t.debit_account_id
INNER JOIN account AS c ON c.account_id = t.credit_account_id
WHERE r.run_id = :run
GROUP BY k.company_id, k.invoice_id, k.cap_year
HAVING bool_or(t.act_id = a.act_id AND c.kind = 'recoverable')
    AND sum(CASE WHEN c.kind = 'payable' THEN t.amount_fen WHEN d.kind = 'payable' THEN -t.amount_fen ELSE 0 END) > 0
"""
CLOSED = """
SELECT t.state, a.balance_fen FROM voucher AS v
INNER JOIN state_at('voucher', 9223372036854775807) AS t ON t.subject_id = v.voucher_id
INNER JOIN account AS a ON a.kind = 'voucher'
    AND (a.programme_id, a.company_id, a.year) = (v.programme_id, v.company_id, v.cap_year)
WHERE v.voucher_id = ANY(:ids)
"""
STATES = """
SELECT DISTINCT ON (noun, subject_id) noun, subject_id, to_state FROM move
WHERE noun IN ('voucher', 'company') ORDER BY noun, subject_id, step DESC
"""

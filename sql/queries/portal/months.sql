-- grain:  one row per month in which service of a provider's accepted invoices ended (handed in, for one without
--         service days), newest first; amounts in fen
-- params: provider (USCC), rows
WITH own AS (
    SELECT
        i.company_id, i.invoice_id, i.kind, i.net_fen, i.gross_fen,
        date_trunc('month', coalesce(upper(i.span) - 1, i.received_on)) AS month
    FROM invoice AS i
    INNER JOIN party AS p ON p.party_id = i.provider_id
    WHERE p.uscc = :provider
),

granted AS (
    SELECT l.company_id, l.invoice_id, l.run_id, l.line_no, l.granted_fen
    FROM run AS r
    INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
    INNER JOIN run_line AS l ON l.run_id = r.run_id
    INNER JOIN own AS o ON o.company_id = l.company_id AND o.invoice_id = l.invoice_id
),

stood AS (
    SELECT DISTINCT ON (m.subject_id) m.subject_id AS payment_id, m.to_state
    FROM move AS m
    WHERE m.noun = 'payment'
    ORDER BY m.subject_id, m.step DESC
),

-- a line whose payment came back has been sent more than once
paid AS (
    SELECT l.company_id, l.run_id, l.line_no, sum(l.amount_fen) AS fen
    FROM granted AS g
    INNER JOIN payment_line AS l ON l.company_id = g.company_id AND l.run_id = g.run_id AND l.line_no = g.line_no
    INNER JOIN stood AS s ON s.payment_id = l.payment_id AND s.to_state = 'paid'
    GROUP BY l.company_id, l.run_id, l.line_no
),

served AS (
    SELECT g.company_id, g.invoice_id, sum(g.granted_fen) AS granted_fen, sum(p.fen) AS paid_fen
    FROM granted AS g
    LEFT JOIN paid AS p ON p.company_id = g.company_id AND p.run_id = g.run_id AND p.line_no = g.line_no
    GROUP BY g.company_id, g.invoice_id
)

SELECT
    CAST(o.month AS date) AS month, count(*) AS invoices, count(DISTINCT o.company_id) AS companies,
    CAST(sum(o.net_fen) AS bigint) AS net_fen, CAST(sum(o.gross_fen) AS bigint) AS gross_fen,
    CAST(coalesce(sum(s.granted_fen), 0) AS bigint) AS granted_fen,
    CAST(coalesce(sum(s.paid_fen), 0) AS bigint) AS paid_fen,
    count(*) FILTER (WHERE o.kind = 'blue' AND s.invoice_id IS NULL) AS unsettled
FROM own AS o
LEFT JOIN served AS s ON s.company_id = o.company_id AND s.invoice_id = o.invoice_id
GROUP BY o.month
ORDER BY o.month DESC
LIMIT CAST(:rows AS integer)

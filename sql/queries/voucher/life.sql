-- grain:  one row per act in a voucher's life by the cutoff, in order: moves of the voucher, its company's freezing and
--         mergers, and per act what its limit did; amount_fen is null where no limit moved
-- params: voucher_id, cutoff (seal number)
-- proposed_by, no_proposed: who asked for it and under which seal, where it took a second person
WITH wanted AS (
    SELECT * FROM voucher AS v WHERE v.voucher_id = CAST(:voucher_id AS bigint)
),

event AS (
    SELECT
        m.act_id, 1 AS place, 'voucher:' || m.from_state || ':' || m.to_state AS what, m.why,
        CAST(NULL AS bigint) AS fen, CAST(NULL AS bigint) AS run_id
    FROM wanted AS w
    INNER JOIN move AS m ON m.noun = 'voucher' AND m.subject_id = w.voucher_id
    UNION ALL
    SELECT m.act_id, 2, 'company:' || m.from_state || ':' || m.to_state, m.why, NULL, NULL
    FROM wanted AS w
    INNER JOIN move AS m ON m.noun = 'company' AND m.subject_id = w.company_id
    UNION ALL
    SELECT
        g.act_id, 3, CASE WHEN g.absorbed_id = w.company_id THEN 'merged' ELSE 'absorbed' END, p.uscc, NULL, NULL
    FROM wanted AS w
    INNER JOIN merger AS g ON w.company_id IN (g.absorbed_id, g.survivor_id)
    INNER JOIN party AS p ON p.party_id = g.absorbed_id + g.survivor_id - w.company_id
    UNION ALL
    SELECT t.act_id, 4, 'limit:' || d.kind || ':' || c.kind, '', sum(t.amount_fen), max(t.run_id)
    FROM wanted AS w
    INNER JOIN account AS a
        ON a.programme_id = w.programme_id AND a.company_id = w.company_id AND a.year = w.cap_year
        AND a.kind IN ('voucher', 'redeemed', 'lapsed')
    INNER JOIN transfer AS t ON t.company_id = w.company_id AND t.credit_account_id = a.account_id
    INNER JOIN account AS d ON d.account_id = t.debit_account_id
    INNER JOIN account AS c ON c.account_id = t.credit_account_id
    GROUP BY t.act_id, d.kind, c.kind
    UNION ALL
    SELECT t.act_id, 4, 'limit:voucher:authority', '', sum(t.amount_fen), NULL
    FROM wanted AS w
    INNER JOIN account AS d
        ON d.programme_id = w.programme_id AND d.company_id = w.company_id AND d.year = w.cap_year
        AND d.kind = 'voucher'
    INNER JOIN transfer AS t ON t.company_id = w.company_id AND t.debit_account_id = d.account_id
    INNER JOIN account AS c ON c.account_id = t.credit_account_id AND c.kind = 'authority'
    GROUP BY t.act_id
)

SELECT
    s.no AS act_no, s.recorded_at, a.effective_on, a.kind AS act_kind, a.actor, e.what, e.why,
    CAST(e.fen AS bigint) AS amount_fen, e.run_id, p.maker AS proposed_by, o.no AS no_proposed,
    o.recorded_at AS proposed_at, CAST(p.payload AS jsonb) ->> 'application' AS application
FROM event AS e
INNER JOIN act AS a ON a.act_id = e.act_id
INNER JOIN seal AS s ON s.act_id = e.act_id AND s.no <= CAST(:cutoff AS bigint)
LEFT JOIN decision AS d ON d.act_id = e.act_id
LEFT JOIN proposal AS p ON p.act_id = d.proposal_act_id
LEFT JOIN seal AS o ON o.act_id = p.act_id
ORDER BY s.no, e.place, e.what

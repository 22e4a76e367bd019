-- grain:  one row per voucher issued by the cutoff, as its transfers and moves up to the cutoff leave it
-- params: programme, cutoff (seal number), first_id, last_id (companies, inclusive)
WITH issued AS (
    SELECT
        v.voucher_id, v.company_id, v.cap_year, v.by_hand, a.account_id, o.account_id AS authority_id,
        l.account_id AS lapsed_id
    FROM voucher AS v
    INNER JOIN seal AS s ON s.act_id = v.act_id
    INNER JOIN account AS a
        ON a.programme_id = v.programme_id AND a.company_id = v.company_id AND a.year = v.cap_year
        AND a.kind = 'voucher'
    INNER JOIN account AS o
        ON o.programme_id = v.programme_id AND o.company_id = 0 AND o.year = v.cap_year AND o.kind = 'authority'
    LEFT JOIN account AS l
        ON l.programme_id = v.programme_id AND l.company_id = v.company_id AND l.year = v.cap_year AND l.kind = 'lapsed'
    WHERE
        s.no <= CAST(:cutoff AS bigint) AND v.programme_id = :programme
        AND v.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
),

-- transfers that no company owns are there as well: a voucher issued by hand may have been booked so
booked AS (
    SELECT t.debit_account_id, t.credit_account_id, t.amount_fen
    FROM transfer AS t
    INNER JOIN seal AS s ON s.act_id = t.act_id
    WHERE
        s.no <= CAST(:cutoff AS bigint)
        AND (
            t.company_id = 0 OR t.company_id BETWEEN CAST(:first_id AS bigint) AND CAST(:last_id AS bigint)
        )
),

movement AS (
    SELECT
        b.credit_account_id AS account_id, b.debit_account_id AS other_id, b.amount_fen
    FROM booked AS b
    UNION ALL
    SELECT b.debit_account_id, b.credit_account_id, -b.amount_fen
    FROM booked AS b
),

moved AS (
    SELECT m.subject_id, m.to_state, row_number() OVER (PARTITION BY m.subject_id ORDER BY m.step DESC) AS age
    FROM move AS m
    INNER JOIN seal AS s ON s.act_id = m.act_id
    INNER JOIN issued AS i ON i.voucher_id = m.subject_id
    WHERE m.noun = 'voucher' AND s.no <= CAST(:cutoff AS bigint)
),

summed AS (
    SELECT
        i.voucher_id, sum(m.amount_fen) FILTER (WHERE m.other_id = i.authority_id) AS face_fen,
        sum(m.amount_fen) AS balance_fen, -sum(m.amount_fen) FILTER (WHERE m.other_id = i.lapsed_id) AS lapsed_fen
    FROM issued AS i
    INNER JOIN movement AS m ON m.account_id = i.account_id
    GROUP BY i.voucher_id
),

absorbed AS (
    SELECT b.voucher_id, sum(b.used_fen) AS used_fen
    FROM absorbed_use AS b
    INNER JOIN seal AS s ON s.act_id = b.act_id
    WHERE s.no <= CAST(:cutoff AS bigint)
    GROUP BY b.voucher_id
)

SELECT
    i.company_id, i.cap_year,
    CAST(coalesce(t.face_fen, 0) AS bigint) AS face_fen,
    CAST(coalesce(t.balance_fen, 0) AS bigint) AS balance_fen,
    CAST(greatest(coalesce(b.used_fen, 0) - coalesce(t.lapsed_fen, 0), 0) AS bigint) AS over_fen,
    NOT i.by_hand AS automatic,
    coalesce(m.to_state, '') AS state
FROM issued AS i
LEFT JOIN summed AS t ON t.voucher_id = i.voucher_id
LEFT JOIN absorbed AS b ON b.voucher_id = i.voucher_id
LEFT JOIN moved AS m ON m.subject_id = i.voucher_id AND m.age = 1
ORDER BY i.company_id, i.cap_year

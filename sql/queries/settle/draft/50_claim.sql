-- grain:  temporary table claim, one row per invoice and cap year with an eligible day
-- params: none (reads doc, bill, basis)
-- source: DESIGN 6.3 and 6.4; the share of days [a, b) of a span of n days from s is
--         floor(amount·(b−s)/n) − floor(amount·(a−s)/n), so that all pieces add up exactly
CREATE TEMPORARY TABLE claim ON COMMIT DROP AS
WITH other AS (
    SELECT u.invoice_number, sum(u.amount_fen) AS other_fen
    FROM subsidy_at((SELECT a.cutoff FROM asked AS a)) AS u
    WHERE NOT u.waived AND u.amount_fen > 0
    GROUP BY u.invoice_number
),

weighed AS (
    SELECT
        b.company_id, b.invoice_id, b.accepted_no, b.span, b.days, b.policy_id, s.basis_fen,
        lower(b.span) AS s, upper(b.span) - lower(b.span) AS n, coalesce(CAST(o.other_fen AS bigint), 0) AS other_fen,
        d.force, d.rate_bp,
        CAST(extract(YEAR FROM lower(b.span)) AS integer) AS first_year,
        CAST(extract(YEAR FROM upper(b.span) - 1) AS integer) AS last_year
    FROM bill AS b
    INNER JOIN basis AS s ON s.company_id = b.company_id AND s.invoice_id = b.invoice_id
    INNER JOIN doc AS d ON d.policy_id = b.policy_id
    LEFT JOIN other AS o ON o.invoice_number = b.number
    WHERE NOT isempty(b.days)
),

-- most invoices lie whole within one year and one document: their one slice is the basis
whole AS (
    SELECT
        w.company_id, w.invoice_id, w.first_year AS cap_year, w.accepted_no, w.policy_id AS deciding_id,
        w.basis_fen, div(CAST(w.basis_fen AS numeric) * w.rate_bp, 10000) AS computed_fen,
        w.other_fen, ARRAY[w.policy_id] AS policy_ids, upper(w.span) - 1 AS last_on
    FROM weighed AS w
    WHERE w.first_year = w.last_year AND w.span <@ w.force AND w.days = datemultirange(w.span)
),

piece AS (
    SELECT
        w.company_id, w.invoice_id, y.year AS cap_year, w.accepted_no, w.policy_id AS deciding_id,
        d.policy_id, d.rate_bp, upper(x.days) - 1 AS last_on,
        div(CAST(w.basis_fen AS numeric) * (upper(x.days) - w.s), w.n)
        - div(CAST(w.basis_fen AS numeric) * (lower(x.days) - w.s), w.n) AS slice_fen,
        div(CAST(w.other_fen AS numeric) * (upper(x.days) - w.s), w.n)
        - div(CAST(w.other_fen AS numeric) * (lower(x.days) - w.s), w.n) AS other_fen
    FROM weighed AS w
    CROSS JOIN LATERAL generate_series(w.first_year, w.last_year) AS y (year)
    INNER JOIN doc AS d ON d.own AND d.force && w.span
    CROSS JOIN LATERAL unnest(
        w.days * datemultirange(d.force * daterange(make_date(y.year, 1, 1), make_date(y.year + 1, 1, 1)))
    ) AS x (days)
    WHERE NOT (w.first_year = w.last_year AND w.span <@ w.force AND w.days = datemultirange(w.span))
),

summed AS (
    SELECT
        p.company_id, p.invoice_id, p.cap_year, p.accepted_no, p.deciding_id,
        sum(p.slice_fen) AS basis_fen, div(sum(p.slice_fen * p.rate_bp), 10000) AS computed_fen,
        sum(p.other_fen) AS other_fen,
        array_agg(DISTINCT p.policy_id ORDER BY p.policy_id) AS policy_ids, max(p.last_on) AS last_on
    FROM piece AS p
    GROUP BY p.company_id, p.invoice_id, p.cap_year, p.accepted_no, p.deciding_id
)

SELECT
    c.company_id, c.invoice_id, c.cap_year, c.accepted_no, c.deciding_id, CAST(c.basis_fen AS bigint) AS basis_fen,
    CAST(c.computed_fen AS bigint) AS computed_fen, CAST(c.other_fen AS bigint) AS other_fen, c.policy_ids, c.last_on
FROM whole AS c
UNION ALL
SELECT
    c.company_id, c.invoice_id, c.cap_year, c.accepted_no, c.deciding_id, CAST(c.basis_fen AS bigint) AS basis_fen,
    CAST(c.computed_fen AS bigint) AS computed_fen, CAST(c.other_fen AS bigint) AS other_fen, c.policy_ids, c.last_on
FROM summed AS c

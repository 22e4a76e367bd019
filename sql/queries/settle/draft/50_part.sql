-- grain:  temporary table part, one row per invoice that does not count whole and cap year with an eligible day
--         last_on: null for one without any line of the programme, which is no new claim
-- params: none (reads doc, partial, limited, metered)
-- source: DESIGN 6.3 and 6.4; the share of days [a, b) of a span of n days from s is
--         floor(amount·(b−s)/n) − floor(amount·(a−s)/n), so that all pieces add up exactly; with a usage log by day its
--         weights take the place of the days
CREATE TEMPORARY TABLE part ON COMMIT DROP AS
WITH weighed AS (
    SELECT
        b.company_id, b.invoice_id, b.accepted_no, b.span, b.days, b.doc_no, b.other_fen,
        coalesce(m.basis_fen, greatest(b.net_fen, 0)) AS basis_fen, coalesce(m.outside, FALSE) AS outside,
        lower(b.span) AS s, g.log,
        coalesce(g.log[upper(b.span) - lower(b.span) + 1], upper(b.span) - lower(b.span)) AS n,
        CAST(extract(YEAR FROM lower(b.span)) AS integer) AS first_year,
        CAST(extract(YEAR FROM upper(b.span) - 1) AS integer) AS last_year
    FROM partial AS b
    LEFT JOIN limited AS m ON m.company_id = b.company_id AND m.invoice_id = b.invoice_id
    LEFT JOIN metered AS g ON g.company_id = b.company_id AND g.invoice_id = b.invoice_id
    WHERE NOT isempty(b.days)
),

piece AS (
    SELECT
        w.company_id, w.invoice_id, y.year AS cap_year, w.accepted_no, w.doc_no,
        d.policy_id, d.rate_bp,
        CASE WHEN NOT w.outside THEN upper(x.days) - 1 END AS last_on,
        div(w.basis_fen * i.until, w.n) - div(w.basis_fen * i.before, w.n) AS slice_fen,
        div(w.other_fen * i.until, w.n) - div(w.other_fen * i.before, w.n) AS other_fen
    FROM weighed AS w
    CROSS JOIN LATERAL generate_series(w.first_year, w.last_year) AS y (year)
    INNER JOIN doc AS d ON d.own AND d.force && w.span
    CROSS JOIN LATERAL unnest(
        w.days * datemultirange(d.force * daterange(make_date(y.year, 1, 1), make_date(y.year + 1, 1, 1)))
    ) AS x (days)
    CROSS JOIN LATERAL (
        SELECT
            CAST(coalesce(w.log[lower(x.days) - w.s + 1], lower(x.days) - w.s) AS numeric) AS before,
            CAST(coalesce(w.log[upper(x.days) - w.s + 1], upper(x.days) - w.s) AS numeric) AS until
    ) AS i
)

SELECT
    p.company_id, p.invoice_id, p.cap_year, p.accepted_no, p.doc_no,
    CAST(sum(p.slice_fen) AS bigint) AS basis_fen,
    CAST(div(sum(p.slice_fen * p.rate_bp), 10000) AS bigint) AS computed_fen,
    CAST(sum(p.other_fen) AS bigint) AS other_fen,
    array_agg(DISTINCT p.policy_id ORDER BY p.policy_id) AS policy_ids, max(p.last_on) AS last_on
FROM piece AS p
GROUP BY p.company_id, p.invoice_id, p.cap_year, p.accepted_no, p.doc_no

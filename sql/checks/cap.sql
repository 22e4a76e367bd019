-- check:  no approval lifts what a company was granted for a year above the cap that governed the year, with what
--         companies merged into it before had been granted; and no face set by hand is above it
-- title:  不超过企业年度上限
-- grain:  one row per company and cap year of an act that went over; no rows means all is well
-- params: none
-- source: DESIGN 6, policy documents: a year's cap is that of the document in force on its last covered day,
--         as known when the act was drafted; annual_cap_fen
WITH approved AS (
    SELECT r.run_id, r.programme_id, r.cutoff_no, s.no
    FROM run AS r
    INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'
    INNER JOIN seal AS s ON s.act_id = d.act_id
),

known_at AS (
    SELECT DISTINCT a.programme_id, a.cutoff_no FROM approved AS a
    UNION
    SELECT v.programme_id, s.no FROM voucher AS v INNER JOIN seal AS s ON s.act_id = v.act_id WHERE v.by_hand
),

document AS (
    SELECT
        k.programme_id, k.cutoff_no, p.policy_id, CAST(p.parameters ->> 'annual_cap_fen' AS bigint) AS cap_fen,
        daterange(lower(p.span), least(upper(p.span), min(lower(n.span)) FILTER (WHERE ns.no <= k.cutoff_no))) AS force
    FROM known_at AS k
    INNER JOIN policy AS p ON p.programme_id = k.programme_id
    INNER JOIN seal AS s ON s.act_id = p.act_id AND s.no <= k.cutoff_no
    LEFT JOIN policy AS n ON n.supersedes = p.policy_id
    LEFT JOIN seal AS ns ON ns.act_id = n.act_id
    GROUP BY k.programme_id, k.cutoff_no, p.policy_id
),

cap AS (
    SELECT DISTINCT ON (d.programme_id, d.cutoff_no, y.year)
        d.programme_id, d.cutoff_no, y.year, d.cap_fen, d.policy_id
    FROM document AS d
    CROSS JOIN LATERAL generate_series(
        CAST(extract(YEAR FROM lower(d.force)) AS integer), CAST(extract(YEAR FROM upper(d.force) - 1) AS integer)
    ) AS y (year)
    WHERE NOT isempty(d.force)
    ORDER BY d.programme_id, d.cutoff_no, y.year, upper(d.force) DESC
),

summed AS (
    SELECT l.run_id, l.company_id, l.cap_year, sum(l.granted_fen) AS fen
    FROM run_line AS l
    GROUP BY l.run_id, l.company_id, l.cap_year
),

given AS (
    SELECT a.programme_id, m.company_id, m.cap_year, a.no, a.cutoff_no, m.fen
    FROM approved AS a
    INNER JOIN summed AS m ON m.run_id = a.run_id
),

reached AS (
    SELECT g.*, sum(g.fen) OVER (PARTITION BY g.programme_id, g.company_id, g.cap_year ORDER BY g.no) AS total_fen
    FROM given AS g
),

absorbed AS (
    SELECT v.programme_id, v.company_id, v.cap_year, s.no, b.used_fen
    FROM absorbed_use AS b
    INNER JOIN voucher AS v ON v.voucher_id = b.voucher_id
    INNER JOIN seal AS s ON s.act_id = b.act_id
),

together AS (
    SELECT
        r.no, r.programme_id, r.company_id, r.cap_year, r.cutoff_no, r.fen,
        r.total_fen + coalesce(sum(b.used_fen), 0) AS total_fen
    FROM reached AS r
    LEFT JOIN absorbed AS b
        ON b.programme_id = r.programme_id AND b.company_id = r.company_id AND b.cap_year = r.cap_year AND b.no < r.no
    GROUP BY r.no, r.programme_id, r.company_id, r.cap_year, r.cutoff_no, r.fen, r.total_fen
),

over AS (
    SELECT
        t.no, t.programme_id, t.company_id, t.cap_year, '累计核定' AS what, t.total_fen AS fen, c.cap_fen, c.policy_id
    FROM together AS t
    LEFT JOIN cap AS c
        ON c.programme_id = t.programme_id AND c.cutoff_no = t.cutoff_no AND c.year = t.cap_year
    WHERE t.fen > 0 AND t.total_fen > coalesce(c.cap_fen, 0)
    UNION ALL
    SELECT s.no, v.programme_id, v.company_id, v.cap_year, '券面额', v.face_fen, c.cap_fen, c.policy_id
    FROM voucher AS v
    INNER JOIN seal AS s ON s.act_id = v.act_id
    LEFT JOIN cap AS c ON c.programme_id = v.programme_id AND c.cutoff_no = s.no AND c.year = v.cap_year
    WHERE v.by_hand AND v.face_fen > coalesce(c.cap_fen, 0)
)

SELECT
    o.no AS act_no, o.programme_id || ' ' || p.uscc || ' ' || o.cap_year AS subject,
    format(
        '%s年度%s%s元，超过上限%s元（%s）。', o.cap_year, o.what, round(o.fen / 100.0, 2),
        round(coalesce(o.cap_fen, 0) / 100.0, 2), coalesce(o.policy_id, '当年无有效政策')
    ) AS detail
FROM over AS o
INNER JOIN party AS p ON p.party_id = o.company_id
ORDER BY o.no, p.uscc, o.cap_year

-- grain:  temporary table freed, one row per company and cap year that the run recovers from: the limit that returns
--         credit_kind: to the voucher, or to what has lapsed once nothing more may be granted on it
-- params: run_id
CREATE TEMPORARY TABLE freed ON COMMIT DROP AS
WITH recovered AS (
    SELECT r.programme_id, l.company_id, l.cap_year, CAST(-sum(l.granted_fen) AS bigint) AS freed_fen
    FROM run AS r
    INNER JOIN run_line AS l ON l.run_id = r.run_id
    WHERE r.run_id = CAST(:run_id AS bigint) AND l.granted_fen < 0
    GROUP BY r.programme_id, l.company_id, l.cap_year
)

SELECT
    f.programme_id, f.company_id, f.cap_year, f.freed_fen,
    CASE
        WHEN s.state IN ('revoked', 'expired', 'returned') OR g.closed_from <= f.cap_year THEN 'lapsed'
        ELSE 'voucher'
    END AS credit_kind
FROM recovered AS f
INNER JOIN voucher AS v
    ON v.programme_id = f.programme_id AND v.company_id = f.company_id AND v.cap_year = f.cap_year
LEFT JOIN state_at('voucher', 9223372036854775807) AS s ON s.subject_id = v.voucher_id
LEFT JOIN standing_at(9223372036854775807) AS g ON g.company_id = f.company_id

-- grain:  one row: the session of a cookie that is neither idle nor old, with its user; noted as seen once a minute
-- params: token_sha256, idle_seconds, longest_seconds, pending_seconds (longest of a pending one)
WITH live AS (
    SELECT s.token_sha256, s.name, s.form_token, s.seen_at, s.pending, s.outside
    FROM session AS s
    WHERE
        s.token_sha256 = :token_sha256
        AND s.seen_at > clock_timestamp() - make_interval(secs => CAST(:idle_seconds AS integer))
        AND s.began_at > clock_timestamp() - make_interval(secs => CAST(
            CASE WHEN s.pending THEN :pending_seconds ELSE :longest_seconds END AS integer
        ))
),

seen AS (
    UPDATE session AS s SET seen_at = clock_timestamp()
    FROM live AS v
    WHERE s.token_sha256 = v.token_sha256 AND v.seen_at < clock_timestamp() - interval '1 minute'
)

SELECT
    v.name, v.form_token, u.role, u.provider_uscc, l.one_time AND NOT v.outside AS one_time, v.pending,
    v.outside, f.name IS NOT NULL AS second_factor
FROM live AS v
INNER JOIN app_user AS u ON u.name = v.name
INNER JOIN login AS l ON l.name = v.name
LEFT JOIN second_factor AS f ON f.name = v.name AND f.confirmed

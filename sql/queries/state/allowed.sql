-- grain:  one row: the last step and state of a subject, and whether it may move to another state
-- params: noun, subject_id, to_state
SELECT
    x.step, x.state,
    m.to_state IS NOT NULL AS allowed
FROM (
    SELECT coalesce(max(t.step), 0) AS step, coalesce(max(t.state), 'none') AS state
    FROM state_at(:noun, 9223372036854775807) AS t
    WHERE t.subject_id = CAST(:subject_id AS bigint)
) AS x
LEFT JOIN allowed_move AS m ON m.noun = :noun AND m.from_state = x.state AND m.to_state = :to_state

-- grain:  inserts one move per subject, from the state it is in; the table of allowed moves refuses any other
-- params: noun, ids (bigint[]), to_state, why, act_id
INSERT INTO move (noun, subject_id, step, from_state, to_state, why, act_id)
SELECT
    :noun, x.id, coalesce(t.step, 0) + 1, coalesce(t.state, 'none'), :to_state, :why, CAST(:act_id AS bigint)
FROM unnest(CAST(:ids AS bigint[])) AS x (id)
LEFT JOIN state_at(:noun, 9223372036854775807) AS t ON t.subject_id = x.id
ORDER BY x.id

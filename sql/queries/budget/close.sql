-- grain:  inserts the move that closes a fiscal year
-- params: fiscal_year, act_id
INSERT INTO move (noun, subject_id, step, from_state, to_state, act_id)
VALUES ('fiscal_year', CAST(:fiscal_year AS integer), 1, 'none', 'closed', CAST(:act_id AS bigint))

-- grain:  one row when a fiscal year's budget was closed
-- params: fiscal_year
SELECT m.act_id FROM move AS m WHERE m.noun = 'fiscal_year' AND m.subject_id = CAST(:fiscal_year AS bigint)

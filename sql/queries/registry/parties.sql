-- grain:  inserts the parties of a registry file that are not known yet
-- params: usccs (text[]), act_id
INSERT INTO party (uscc, act_id)
SELECT DISTINCT u.uscc, CAST(:act_id AS bigint)
FROM unnest(CAST(:usccs AS text[])) AS u (uscc)
ORDER BY u.uscc
ON CONFLICT (uscc) DO NOTHING

-- grain:  inserts one decision on a red flag
-- params: flag, subject, verdict, why, evidence_sha256 (hex), act_id
INSERT INTO flag_decision (flag, subject, verdict, why, evidence_sha256, act_id)
VALUES (:flag, :subject, :verdict, :why, decode(:evidence_sha256, 'hex'), :act_id)

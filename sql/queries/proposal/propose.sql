-- grain:  inserts one proposal
-- params: act_id, kind, subject, payload (canonical JSON), maker, drafted_by
INSERT INTO proposal (act_id, kind, subject, payload, payload_sha256, maker, drafted_by)
VALUES (
    :act_id, :kind, :subject, :payload, sha256(convert_to(CAST(:payload AS text), 'UTF8')), :maker, :drafted_by
)

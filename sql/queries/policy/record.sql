-- grain:  inserts one policy document
-- params: policy_id, programme_id, supersedes, from_on, until_on (exclusive), body, parameters (jsonb), act_id
INSERT INTO policy (policy_id, programme_id, supersedes, span, sha256, body, parameters, act_id)
VALUES (
    :policy_id, :programme_id, :supersedes, daterange(CAST(:from_on AS date), CAST(:until_on AS date)),
    sha256(convert_to(CAST(:body AS text), 'UTF8')), :body, CAST(:parameters AS jsonb), :act_id
)

-- Programmes (items of a legal document) and the policy documents in force, as recorded by an act.

CREATE TABLE programme (
    programme_id text COLLATE "C" PRIMARY KEY CHECK (programme_id ~ '^[a-z0-9-]{1,40}$'),
    act_id bigint NOT NULL REFERENCES act
);

CREATE TABLE policy (
    policy_id text COLLATE "C" PRIMARY KEY CHECK (policy_id ~ '^[a-z0-9.-]{1,60}$'),
    programme_id text COLLATE "C" NOT NULL REFERENCES programme,
    supersedes text COLLATE "C" REFERENCES policy,
    span daterange NOT NULL CHECK (NOT isempty(span) AND upper(span) <= '2200-01-01'),
    sha256 bytea NOT NULL CHECK (sha256 = sha256(convert_to(body, 'UTF8'))),
    body text NOT NULL,
    parameters jsonb NOT NULL,
    act_id bigint NOT NULL REFERENCES act
);

SELECT append_only('programme');
SELECT append_only('policy');
-- The programme row is the lock of its settlement; locking a row takes the right to update one column.
GRANT UPDATE (programme_id) ON programme TO cvl_app;

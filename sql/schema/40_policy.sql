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

-- Every document with the days on which it holds: up to the day from which another one supersedes it.
CREATE VIEW policy_in_force AS
SELECT f.policy_id, f.programme_id, f.parameters, f.span
FROM (
    SELECT
        p.policy_id, p.programme_id, p.parameters,
        daterange(lower(p.span), greatest(lower(p.span), least(upper(p.span), min(lower(n.span))))) AS span
    FROM policy AS p
    LEFT JOIN policy AS n ON n.supersedes = p.policy_id
    GROUP BY p.policy_id
) AS f
WHERE NOT isempty(f.span);

-- What people call each programme, after the newest document recorded by a cutoff (a seal number).
CREATE FUNCTION programme_at(cutoff bigint)
RETURNS TABLE (programme_id text, name text) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT DISTINCT ON (p.programme_id) p.programme_id, p.parameters ->> 'name'
    FROM policy AS p INNER JOIN seal AS s ON s.act_id = p.act_id
    WHERE s.no <= cutoff
    ORDER BY p.programme_id, lower(p.span) DESC, s.no DESC;
END;
GRANT SELECT ON policy_in_force TO cvl_app, cvl_auditor;

SELECT append_only('programme');
SELECT append_only('policy');
-- The programme row is the lock of its settlement; locking a row takes the right to update one column.
GRANT UPDATE (programme_id) ON programme TO cvl_app;

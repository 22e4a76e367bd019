-- What needs a second person: proposed by one, decided by another.

CREATE TABLE proposal (
    act_id bigint PRIMARY KEY REFERENCES act,
    kind text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z_]+$'),
    subject text COLLATE "C" NOT NULL CHECK (subject !~ '[|[:cntrl:]]'),
    payload text COLLATE "C" NOT NULL,
    payload_sha256 bytea NOT NULL CHECK (payload_sha256 = sha256(convert_to(payload, 'UTF8'))),
    maker text COLLATE "C" NOT NULL REFERENCES app_user,
    drafted_by text COLLATE "C" NOT NULL REFERENCES app_user
);

CREATE TABLE decision (
    proposal_act_id bigint PRIMARY KEY REFERENCES proposal,
    verdict text NOT NULL CHECK (verdict IN ('approved', 'rejected', 'withdrawn')),
    why text NOT NULL DEFAULT '' CHECK (verdict <> 'rejected' OR btrim(why) <> ''),
    decided_by text COLLATE "C" NOT NULL REFERENCES app_user,
    act_id bigint NOT NULL UNIQUE REFERENCES act
);

-- What the decider was told, so that the same decision again gives the first answer; no fact of the ledger.
CREATE TABLE decision_answer (
    act_id bigint PRIMARY KEY REFERENCES act,
    answer text NOT NULL
);

CREATE FUNCTION require_second_person() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked proposal;
    decider_role text;
    acting text;
BEGIN
    SELECT * INTO asked FROM proposal WHERE act_id = new.proposal_act_id;
    SELECT role INTO decider_role FROM app_user WHERE name = new.decided_by;
    SELECT actor INTO acting FROM act WHERE act_id = new.act_id;
    IF acting IS DISTINCT FROM new.decided_by THEN
        RAISE EXCEPTION USING ERRCODE = 'CV003', MESSAGE = 'the decider is not the actor of the act';
    END IF;
    IF new.verdict = 'withdrawn' AND new.decided_by <> asked.maker THEN
        RAISE EXCEPTION USING ERRCODE = 'CV003', MESSAGE = 'only the maker withdraws';
    END IF;
    IF new.verdict <> 'withdrawn'
        AND (decider_role <> 'checker' OR new.decided_by IN (asked.maker, asked.drafted_by)) THEN
        RAISE EXCEPTION USING ERRCODE = 'CV003', MESSAGE = 'the decider must be a checker who did not make it';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER require_second_person BEFORE INSERT ON decision
FOR EACH ROW EXECUTE FUNCTION require_second_person();

-- The decisions known at a cutoff (a seal number).
CREATE FUNCTION decision_at(cutoff bigint) RETURNS SETOF decision LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT d.* FROM decision AS d INNER JOIN seal AS s ON s.act_id = d.act_id WHERE s.no <= cutoff;
END;

SELECT append_only('proposal');
SELECT append_only('decision');
SELECT append_only('decision_answer');

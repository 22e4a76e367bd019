-- What a person decided of a red flag (疑点). The flag itself is found anew each time; its key names what it is about.

CREATE TABLE flag_decision (
    flag text COLLATE "C" NOT NULL CHECK (flag ~ '^[a-z_]+$'),
    subject text COLLATE "C" NOT NULL CHECK (subject <> '' AND subject !~ '[|[:cntrl:]]'),
    verdict text COLLATE "C" NOT NULL CHECK (verdict IN ('cleared', 'confirmed', 'watched')),
    why text NOT NULL CHECK (btrim(why) <> ''),
    evidence_sha256 bytea NOT NULL CHECK (length(evidence_sha256) = 32),
    act_id bigint NOT NULL REFERENCES act,
    PRIMARY KEY (act_id, flag, subject)
);
SELECT append_only('flag_decision');

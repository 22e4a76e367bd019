-- Who is logged in to the portal, and what came of it. Nothing here is a fact of the books, nothing is sealed: an act
-- names its person, this says how that person got in.

-- A user without a row cannot log in. one_time: the password was made by the program and must be changed first.
CREATE TABLE login (
    name text COLLATE "C" PRIMARY KEY REFERENCES app_user,
    password_hash text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    one_time boolean NOT NULL,
    set_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The cookie's digest alone is kept. form_token: stands in every form of the session. pending: the password was right,
-- the second factor is still asked for, and nothing else is answered. outside: an identity provider told who it is.
CREATE TABLE session (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    name text COLLATE "C" NOT NULL REFERENCES login ON DELETE CASCADE,
    form_token text NOT NULL,
    pending boolean NOT NULL,
    outside boolean NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX session_name ON session (name);

-- The second factor of a user who has one (RFC 6238). It counts once a code of it was given. last_step: the step of
-- time of the last code that was taken; no code of it or of an earlier step is taken again.
CREATE TABLE second_factor (
    name text COLLATE "C" PRIMARY KEY REFERENCES login ON DELETE CASCADE,
    secret text NOT NULL CHECK (secret ~ '^[A-Z2-7]{32}$'),
    confirmed boolean NOT NULL DEFAULT FALSE,
    last_step bigint NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What is good once in place of a code. Digests alone are kept.
CREATE TABLE recovery_code (
    name text COLLATE "C" NOT NULL REFERENCES second_factor ON DELETE CASCADE,
    code_sha256 bytea NOT NULL CHECK (length(code_sha256) = 32),
    PRIMARY KEY (name, code_sha256)
);

-- Failed attempts, counted before the password is looked at; subject: a user, an address, or both together.
CREATE TABLE login_failure (
    subject text COLLATE "C" PRIMARY KEY,
    failures integer NOT NULL CHECK (failures > 0),
    last_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What a program uses in place of a password. The token's digest alone is kept.
CREATE TABLE api_token (
    token_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_sha256 bytea NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    name text COLLATE "C" NOT NULL REFERENCES app_user,
    label text NOT NULL CHECK (btrim(label) <> ''),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    made_by text COLLATE "C" NOT NULL REFERENCES app_user,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    until_at timestamptz NOT NULL,
    revoked_at timestamptz,
    used_at timestamptz
);

-- The first answer to each Idempotency-Key, kept for ever. status: NULL while the first request is at work.
CREATE TABLE api_answer (
    name text COLLATE "C" NOT NULL REFERENCES app_user,
    key text COLLATE "C" NOT NULL CHECK (key ~ '^[!-~]{1,200}$'),
    request_sha256 bytea NOT NULL CHECK (length(request_sha256) = 32),
    status integer,
    body text,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, key),
    CHECK ((status IS NULL) = (body IS NULL))
);

-- A file that was handed in on a page and checked, until its people confirm or drop it. Its bytes lie beside the
-- documents; outcome: what the check found, as JSON.
CREATE TABLE waiting_file (
    handed_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL REFERENCES app_user,
    file_name text NOT NULL,
    size_bytes bigint NOT NULL,
    provider_uscc text COLLATE "C" NOT NULL,
    service_month text COLLATE "C" NOT NULL,
    outcome jsonb NOT NULL,
    handed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX waiting_file_name ON waiting_file (name);

-- Who got in, what was refused, what was taken out. name is empty where nobody known was named.
CREATE TABLE access_event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    event text COLLATE "C" NOT NULL CHECK (event ~ '^[a-z_]+$'),
    name text COLLATE "C" NOT NULL,
    subject text NOT NULL,
    code text COLLATE "C" NOT NULL,
    address text COLLATE "C" NOT NULL,
    request_id text COLLATE "C" NOT NULL
);
CREATE INDEX access_event_name ON access_event (name, event_id);

SELECT append_only('access_event');
GRANT SELECT, INSERT, UPDATE, DELETE ON login, session, login_failure, waiting_file, second_factor, recovery_code
TO cvl_app;
GRANT SELECT, INSERT, UPDATE ON api_token, api_answer TO cvl_app;

-- Scheduled jobs: one row per job and slot (a day or a month) says how it ended, another table each attempt.
-- Neither is a fact of the books: what a job does to those is an act, in the same transaction as its slot.

CREATE TABLE job_slot (
    job text COLLATE "C" NOT NULL CHECK (job ~ '^[a-z_]{1,40}$'),
    slot text COLLATE "C" NOT NULL CHECK (slot ~ '^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$'),
    state text NOT NULL CHECK (state IN ('done', 'skipped', 'failed')),
    attempts integer NOT NULL CHECK (attempts > 0),
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    output text NOT NULL,
    PRIMARY KEY (job, slot)
);

CREATE TABLE job_attempt (
    job text COLLATE "C" NOT NULL,
    slot text COLLATE "C" NOT NULL,
    attempt integer NOT NULL,
    state text NOT NULL,
    asked_by text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    output text NOT NULL,
    PRIMARY KEY (job, slot, attempt),
    FOREIGN KEY (job, slot) REFERENCES job_slot
);
GRANT SELECT, INSERT, UPDATE ON job_slot TO cvl_app;
GRANT SELECT, INSERT ON job_attempt TO cvl_app;
GRANT SELECT ON job_slot, job_attempt TO cvl_auditor;

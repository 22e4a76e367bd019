-- 公示 of approved runs, and the objections that hold the payment of an invoice of a run.

CREATE TABLE disclosure (
    run_id bigint PRIMARY KEY REFERENCES run,
    from_on date NOT NULL,
    until_on date NOT NULL CHECK (until_on >= from_on - 1),
    working_days integer NOT NULL CHECK (working_days >= 0),
    act_id bigint NOT NULL UNIQUE REFERENCES act
);

-- Open until its second move; the objection's id is the act that raised it.
CREATE TABLE objection (
    act_id bigint PRIMARY KEY REFERENCES act,
    company_id bigint NOT NULL,
    run_id bigint NOT NULL REFERENCES disclosure,
    invoice_id bigint NOT NULL,
    why text NOT NULL CHECK (btrim(why) <> ''),
    FOREIGN KEY (company_id, invoice_id) REFERENCES invoice
);
CREATE INDEX objection_run ON objection (run_id);

INSERT INTO allowed_move VALUES
('objection', 'none', 'open'),
('objection', 'open', 'released');

SELECT append_only('disclosure');
SELECT append_only('objection');

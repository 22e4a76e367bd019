-- States are rows: a move is a fact with a key into the table of allowed moves and onto the move before it.

CREATE TABLE allowed_move (
    noun text COLLATE "C" NOT NULL,
    from_state text COLLATE "C" NOT NULL,
    to_state text COLLATE "C" NOT NULL,
    PRIMARY KEY (noun, from_state, to_state)
);
INSERT INTO allowed_move VALUES
('voucher', 'none', 'issued'),
('voucher', 'issued', 'frozen'),
('voucher', 'frozen', 'issued'),
('voucher', 'issued', 'revoked'),
('voucher', 'frozen', 'revoked'),
('voucher', 'issued', 'expired'),
('voucher', 'frozen', 'expired');
GRANT SELECT ON allowed_move TO cvl_app, cvl_auditor;

CREATE TABLE move (
    noun text COLLATE "C" NOT NULL,
    subject_id bigint NOT NULL,
    step integer NOT NULL CHECK (step > 0),
    previous_step integer GENERATED ALWAYS AS (nullif(step - 1, 0)) STORED,
    from_state text COLLATE "C" NOT NULL CHECK ((from_state = 'none') = (step = 1)),
    to_state text COLLATE "C" NOT NULL,
    why text NOT NULL DEFAULT '',
    act_id bigint NOT NULL REFERENCES act,
    PRIMARY KEY (noun, subject_id, step),
    UNIQUE (noun, subject_id, step, to_state),
    FOREIGN KEY (noun, from_state, to_state) REFERENCES allowed_move,
    FOREIGN KEY (noun, subject_id, previous_step, from_state) REFERENCES move (noun, subject_id, step, to_state)
);
CREATE INDEX move_act ON move (act_id);
SELECT append_only('move');

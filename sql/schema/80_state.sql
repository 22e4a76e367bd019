-- States are rows: a move is a fact with a key into the table of allowed moves and onto the move before it.
-- Of a voucher: applied for and reviewed is its proposal and the decision on it; partly redeemed and used up are read
-- off its balance, since a move per run would only say the journal again. A state without a way out is closed: nothing
-- more is granted, and what was left has gone to lapsed.

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
('voucher', 'frozen', 'expired'),
('voucher', 'issued', 'returned'),
('company', 'none', 'frozen'),
('company', 'frozen', 'active'),
('company', 'active', 'frozen');
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

-- One company absorbed by another: from that day's cap year on the two share one cap, that of the survivor.
CREATE TABLE merger (
    absorbed_id bigint PRIMARY KEY REFERENCES party,
    survivor_id bigint NOT NULL REFERENCES party CHECK (survivor_id <> absorbed_id),
    merged_on date NOT NULL CHECK (merged_on BETWEEN '2000-01-01' AND '2199-12-31'),
    act_id bigint NOT NULL REFERENCES act
);
CREATE INDEX merger_act ON merger (act_id);
SELECT append_only('merger');

-- What an absorbed company had been granted when it was merged, which its survivor's voucher may not grant again: what
-- the voucher has left goes to lapsed at once, the rest whenever a recovery or a raised cap brings limit back to it.
CREATE TABLE absorbed_use (
    voucher_id bigint NOT NULL REFERENCES voucher,
    absorbed_id bigint NOT NULL REFERENCES merger,
    company_id bigint NOT NULL REFERENCES party,
    used_fen bigint NOT NULL CHECK (used_fen > 0),
    act_id bigint NOT NULL REFERENCES act,
    PRIMARY KEY (voucher_id, absorbed_id)
);
CREATE INDEX absorbed_use_act ON absorbed_use (act_id);
SELECT append_only('absorbed_use');

-- The states of one noun as they were known at a cutoff (a seal number).
CREATE FUNCTION state_at(asked text, cutoff bigint)
RETURNS TABLE (subject_id bigint, step integer, state text) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT DISTINCT ON (m.subject_id) m.subject_id, m.step, m.to_state
    FROM move AS m INNER JOIN seal AS s ON s.act_id = m.act_id
    WHERE m.noun = asked AND s.no <= cutoff
    ORDER BY m.subject_id, m.step DESC;
END;

-- The companies that are frozen, or closed by a merger from a cap year on, as known at a cutoff.
CREATE FUNCTION standing_at(cutoff bigint)
RETURNS TABLE (company_id bigint, frozen boolean, closed_from integer) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(f.subject_id, g.absorbed_id), f.subject_id IS NOT NULL, g.closed_from
    FROM (SELECT t.subject_id FROM state_at('company', cutoff) AS t WHERE t.state = 'frozen') AS f
    FULL JOIN (
        SELECT m.absorbed_id, CAST(extract(YEAR FROM m.merged_on) AS integer) AS closed_from
        FROM merger AS m INNER JOIN seal AS s ON s.act_id = m.act_id
        WHERE s.no <= cutoff
    ) AS g ON g.absorbed_id = f.subject_id;
END;

-- Who stands in the place of each merged company, as known at a cutoff: its survivor, or whom that was merged into.
CREATE FUNCTION successor_at(cutoff bigint)
RETURNS TABLE (company_id bigint, successor_id bigint) LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE known AS (
        SELECT m.absorbed_id, m.survivor_id
        FROM merger AS m INNER JOIN seal AS s ON s.act_id = m.act_id
        WHERE s.no <= cutoff
    ),

    chain AS (
        SELECT k.absorbed_id, k.survivor_id FROM known AS k
        UNION ALL
        SELECT c.absorbed_id, k.survivor_id FROM chain AS c INNER JOIN known AS k ON k.absorbed_id = c.survivor_id
    )

    SELECT c.absorbed_id, c.survivor_id
    FROM chain AS c
    WHERE c.survivor_id NOT IN (SELECT k.absorbed_id FROM known AS k);
END;

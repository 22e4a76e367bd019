-- Bank statements, and the matches that a person made between their lines and payments.

CREATE TABLE bank_statement (
    statement_id bigint PRIMARY KEY REFERENCES act,
    sha256 bytea NOT NULL REFERENCES document,
    file_name text NOT NULL,
    profile text NOT NULL,
    rows bigint NOT NULL CHECK (rows >= 0),
    known bigint NOT NULL CHECK (known BETWEEN 0 AND rows)
);

-- amount_fen: above zero what was paid out, below zero what came in. line_digest: the same line in another statement.
CREATE TABLE bank_line (
    statement_id bigint NOT NULL REFERENCES bank_statement,
    row_no bigint NOT NULL,
    booked_on date NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen <> 0),
    name text COLLATE "C" NOT NULL,
    account_last4 text COLLATE "C" NOT NULL CHECK (length(account_last4) <= 4),
    serial text COLLATE "C" NOT NULL,
    remark text NOT NULL,
    reference text COLLATE "C" CHECK (reference ~ '^CQV-[0-9]+-[0-9]+$'),
    line_digest text COLLATE "C" NOT NULL UNIQUE,
    PRIMARY KEY (statement_id, row_no)
);

-- What a line was for, by an approved proposal; without a payment: it is no payment of ours.
CREATE TABLE bank_match (
    act_id bigint NOT NULL REFERENCES act,
    place integer NOT NULL CHECK (place > 0),
    statement_id bigint NOT NULL,
    row_no bigint NOT NULL,
    payment_id bigint REFERENCES payment,
    why text NOT NULL CHECK (btrim(why) <> ''),
    PRIMARY KEY (act_id, place),
    FOREIGN KEY (statement_id, row_no) REFERENCES bank_line
);

INSERT INTO allowed_move VALUES
('bank_match', 'none', 'made'),
('bank_match', 'made', 'undone');

-- A name as it is compared: banks write brackets and letters half or full width, with or without spaces.
CREATE FUNCTION bank_name(name text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN replace(normalize(name, nfkc), ' ', '');

-- The matches that a person made and nobody undid, as they stood at a cutoff (a seal number).
CREATE FUNCTION bank_hand_at(cutoff bigint)
RETURNS TABLE (statement_id bigint, row_no bigint, payment_id bigint, incoming boolean) LANGUAGE sql STABLE AS $$
    SELECT m.statement_id, m.row_no, m.payment_id, l.amount_fen < 0
    FROM bank_match AS m
    INNER JOIN seal AS s ON s.act_id = m.act_id AND s.no <= cutoff
    INNER JOIN bank_line AS l ON l.statement_id = m.statement_id AND l.row_no = m.row_no
    WHERE NOT EXISTS (
        SELECT FROM move AS v
        INNER JOIN seal AS u ON u.act_id = v.act_id AND u.no <= cutoff
        WHERE v.noun = 'bank_match' AND v.subject_id = m.act_id AND v.step = 2
    )
$$;

-- One row per incoming line at a cutoff that is known: a returned payment (by hand, by its reference, else by name and
-- amount, each once), or money that a company paid back (by the bank's serial, then the payment is NULL).
CREATE FUNCTION bank_return_at(cutoff bigint)
RETURNS TABLE (statement_id bigint, row_no bigint, payment_id bigint) LANGUAGE sql STABLE AS $$
    WITH by_hand AS MATERIALIZED (
        SELECT h.statement_id, h.row_no, h.payment_id FROM bank_hand_at(cutoff) AS h WHERE h.incoming
    ),

    line AS MATERIALIZED (
        SELECT
            l.statement_id, l.row_no, l.booked_on, -l.amount_fen AS fen, bank_name(l.name) AS name, l.reference, l.serial
        FROM bank_line AS l
        INNER JOIN seal AS s ON s.act_id = l.statement_id AND s.no <= cutoff
        LEFT JOIN by_hand AS h ON h.statement_id = l.statement_id AND h.row_no = l.row_no
        WHERE l.amount_fen < 0 AND h.row_no IS NULL
    ),

    came_back AS MATERIALIZED (
        SELECT y.payment_id, y.amount_fen AS fen, y.reference, bank_name(b.holder) AS name, r.happened_on
        FROM payment_result AS r
        INNER JOIN seal AS s ON s.act_id = r.act_id AND s.no <= cutoff
        INNER JOIN payment AS y ON y.payment_id = r.payment_id
        INNER JOIN bank_account AS b ON b.act_id = y.account_act_id AND b.row_no = y.account_row_no
        LEFT JOIN by_hand AS h ON h.payment_id = r.payment_id
        WHERE r.state = 'returned' AND h.row_no IS NULL
    ),

    by_reference AS MATERIALIZED (
        SELECT DISTINCT ON (c.payment_id) l.statement_id, l.row_no, c.payment_id
        FROM line AS l
        INNER JOIN came_back AS c ON c.reference = l.reference AND c.fen = l.fen
        ORDER BY c.payment_id, l.booked_on, l.statement_id, l.row_no
    ),

    -- one transfer may pay back several invoices
    repaid AS MATERIALIZED (
        SELECT
            CAST(p.payload AS jsonb) ->> 'reference' AS serial,
            sum(CAST(CAST(p.payload AS jsonb) ->> 'amount_fen' AS bigint)) AS fen
        FROM proposal AS p
        INNER JOIN decision_at(cutoff) AS d ON d.proposal_act_id = p.act_id AND d.verdict = 'approved'
        WHERE p.kind = 'recovery_return'
        GROUP BY CAST(p.payload AS jsonb) ->> 'reference'
    ),

    by_serial AS MATERIALIZED (
        SELECT DISTINCT ON (p.serial) l.statement_id, l.row_no, CAST(NULL AS bigint) AS payment_id
        FROM repaid AS p
        INNER JOIN line AS l ON l.serial = p.serial AND l.fen = p.fen
        LEFT JOIN by_reference AS r ON r.statement_id = l.statement_id AND r.row_no = l.row_no
        WHERE r.row_no IS NULL
        ORDER BY p.serial, l.booked_on, l.statement_id, l.row_no
    ),

    rest AS (
        SELECT
            l.*, row_number() OVER (PARTITION BY l.name, l.fen ORDER BY l.booked_on, l.statement_id, l.row_no) AS turn
        FROM line AS l
        WHERE (l.statement_id, l.row_no) NOT IN (
            SELECT r.statement_id, r.row_no FROM by_reference AS r
            UNION ALL
            SELECT r.statement_id, r.row_no FROM by_serial AS r
        )
    ),

    waiting AS (
        SELECT
            c.*, row_number() OVER (PARTITION BY c.name, c.fen ORDER BY c.happened_on, c.payment_id) AS turn
        FROM came_back AS c
        WHERE c.payment_id NOT IN (SELECT r.payment_id FROM by_reference AS r)
    )

    SELECT h.* FROM by_hand AS h
    UNION ALL
    SELECT r.* FROM by_reference AS r
    UNION ALL
    SELECT r.* FROM by_serial AS r
    UNION ALL
    SELECT l.statement_id, l.row_no, w.payment_id
    FROM rest AS l
    INNER JOIN waiting AS w ON w.name = l.name AND w.fen = l.fen AND w.turn = l.turn
$$;

-- One row per match of an outgoing line with a payment at a cutoff (a seal number): by hand, else by reference, else
-- by amount and payee, else whole sums of a batch or of one payee. way: hand, reference, amount, batch, payee.
-- A line that a person said is no payment has a NULL payment; what came back is not here.
-- days: from sending to booking; tolerance in fen.
CREATE FUNCTION bank_match_at(cutoff bigint, tolerance_fen bigint, days integer)
RETURNS TABLE (statement_id bigint, row_no bigint, payment_id bigint, way text) LANGUAGE sql STABLE AS $$
    WITH line AS MATERIALIZED (
        SELECT l.statement_id, l.row_no, l.booked_on, l.amount_fen, bank_name(l.name) AS name, l.reference
        FROM bank_line AS l
        INNER JOIN seal AS s ON s.act_id = l.statement_id AND s.no <= cutoff
        WHERE l.amount_fen > 0
    ),

    -- silent: returned, and no statement shows that it came back; its likeness paid later is not taken for it
    sent AS MATERIALIZED (
        SELECT
            p.payment_id, p.batch_id, p.amount_fen, p.reference, p.sent_on, bank_name(b.holder) AS name,
            p.state = 'returned' AND c.payment_id IS NULL AS silent
        FROM payment_at(cutoff) AS p
        INNER JOIN payment AS y ON y.payment_id = p.payment_id
        INNER JOIN bank_account AS b ON b.act_id = y.account_act_id AND b.row_no = y.account_row_no
        LEFT JOIN bank_return_at(cutoff) AS c ON c.payment_id = p.payment_id
        WHERE p.state IN ('in_transit', 'paid', 'returned')
    ),

    by_hand AS MATERIALIZED (
        SELECT h.statement_id, h.row_no, h.payment_id, 'hand' AS way FROM bank_hand_at(cutoff) AS h WHERE NOT h.incoming
    ),

    line_1 AS MATERIALIZED (
        SELECT l.* FROM line AS l LEFT JOIN by_hand AS h USING (statement_id, row_no) WHERE h.way IS NULL
    ),

    sent_1 AS MATERIALIZED (
        SELECT p.* FROM sent AS p LEFT JOIN by_hand AS h USING (payment_id) WHERE h.way IS NULL
    ),

    by_reference AS MATERIALIZED (
        SELECT DISTINCT ON (p.payment_id) l.statement_id, l.row_no, p.payment_id, 'reference' AS way
        FROM line_1 AS l
        INNER JOIN sent_1 AS p ON p.reference = l.reference
        WHERE abs(l.amount_fen - p.amount_fen) <= tolerance_fen
        ORDER BY p.payment_id, l.booked_on, l.statement_id, l.row_no
    ),

    line_2 AS MATERIALIZED (
        SELECT
            l.*,
            row_number() OVER (PARTITION BY l.name, l.amount_fen ORDER BY l.booked_on, l.statement_id, l.row_no) AS up,
            row_number() OVER (
                PARTITION BY l.name, l.amount_fen ORDER BY l.booked_on DESC, l.statement_id DESC, l.row_no DESC
            ) AS down
        FROM line_1 AS l
        LEFT JOIN by_reference AS m USING (statement_id, row_no)
        WHERE m.way IS NULL
    ),

    sent_2 AS MATERIALIZED (
        SELECT
            p.*,
            row_number() OVER (PARTITION BY p.name, p.amount_fen, p.silent ORDER BY p.sent_on, p.payment_id) AS up,
            row_number() OVER (
                PARTITION BY p.name, p.amount_fen, p.silent ORDER BY p.sent_on DESC, p.payment_id DESC
            ) AS down
        FROM sent_1 AS p
        LEFT JOIN by_reference AS m USING (payment_id)
        WHERE m.way IS NULL
    ),

    -- both in order of their days: from the first on, and what that leaves from the last back
    upward AS MATERIALIZED (
        SELECT l.statement_id, l.row_no, p.payment_id
        FROM line_2 AS l
        INNER JOIN sent_2 AS p ON p.name = l.name AND p.amount_fen = l.amount_fen AND p.up = l.up
        WHERE NOT p.silent AND l.booked_on BETWEEN p.sent_on AND p.sent_on + days
    ),

    by_amount AS MATERIALIZED (
        SELECT u.statement_id, u.row_no, u.payment_id, 'amount' AS way FROM upward AS u
        UNION ALL
        SELECT l.statement_id, l.row_no, p.payment_id, 'amount'
        FROM line_2 AS l
        INNER JOIN sent_2 AS p ON p.name = l.name AND p.amount_fen = l.amount_fen AND p.down = l.down
        LEFT JOIN upward AS ul ON ul.statement_id = l.statement_id AND ul.row_no = l.row_no
        LEFT JOIN upward AS up ON up.payment_id = p.payment_id
        WHERE
            NOT p.silent AND ul.payment_id IS NULL AND up.payment_id IS NULL
            AND l.booked_on BETWEEN p.sent_on AND p.sent_on + days
    ),

    line_3 AS MATERIALIZED (
        SELECT l.* FROM line_2 AS l LEFT JOIN by_amount AS m USING (statement_id, row_no) WHERE m.way IS NULL
    ),

    sent_3 AS MATERIALIZED (
        SELECT p.* FROM sent_2 AS p LEFT JOIN by_amount AS m USING (payment_id) WHERE m.way IS NULL
    ),

    -- with a tolerance: a line and a payment of one payee that have each only the other within reach
    near AS (
        SELECT
            l.statement_id, l.row_no, p.payment_id, count(*) OVER (PARTITION BY l.statement_id, l.row_no) AS payments,
            count(*) OVER (PARTITION BY p.payment_id) AS lines
        FROM line_3 AS l
        INNER JOIN sent_3 AS p ON p.name = l.name
        WHERE
            NOT p.silent AND tolerance_fen > 0 AND abs(p.amount_fen - l.amount_fen) <= tolerance_fen
            AND l.booked_on BETWEEN p.sent_on AND p.sent_on + days
    ),

    by_near AS MATERIALIZED (
        SELECT n.statement_id, n.row_no, n.payment_id, 'amount' AS way FROM near AS n WHERE n.payments = 1 AND n.lines = 1
    ),

    line_4 AS MATERIALIZED (
        SELECT l.* FROM line_3 AS l LEFT JOIN by_near AS m USING (statement_id, row_no) WHERE m.way IS NULL
    ),

    sent_4 AS MATERIALIZED (
        SELECT p.* FROM sent_3 AS p LEFT JOIN by_near AS m USING (payment_id) WHERE m.way IS NULL
    ),

    -- of one payment alone the payee must agree: else any line of its amount, whoever got it, would be taken for it
    batch AS (
        SELECT p.batch_id, p.sent_on, sum(p.amount_fen) AS fen FROM sent_4 AS p
        WHERE NOT p.silent
        GROUP BY p.batch_id, p.sent_on
        HAVING count(*) > 1
    ),

    batch_line AS MATERIALIZED (
        SELECT DISTINCT ON (b.batch_id) b.batch_id, l.statement_id, l.row_no
        FROM batch AS b
        INNER JOIN line_4 AS l
            ON l.amount_fen BETWEEN b.fen - tolerance_fen AND b.fen + tolerance_fen
            AND l.booked_on BETWEEN b.sent_on AND b.sent_on + days
        ORDER BY b.batch_id, l.booked_on, l.statement_id, l.row_no
    ),

    by_batch AS MATERIALIZED (
        SELECT k.statement_id, k.row_no, p.payment_id, 'batch' AS way
        FROM (
            SELECT DISTINCT ON (b.statement_id, b.row_no) b.* FROM batch_line AS b
            ORDER BY b.statement_id, b.row_no, b.batch_id
        ) AS k
        INNER JOIN sent_4 AS p ON p.batch_id = k.batch_id AND NOT p.silent
    ),

    line_5 AS MATERIALIZED (
        SELECT l.* FROM line_4 AS l
        WHERE (l.statement_id, l.row_no) NOT IN (SELECT b.statement_id, b.row_no FROM by_batch AS b)
    ),

    sent_5 AS MATERIALIZED (
        SELECT p.* FROM sent_4 AS p LEFT JOIN by_batch AS m USING (payment_id) WHERE m.way IS NULL
    ),

    reach AS MATERIALIZED (
        SELECT l.statement_id, l.row_no, l.booked_on, l.amount_fen, p.payment_id, p.amount_fen AS part_fen
        FROM line_5 AS l
        INNER JOIN sent_5 AS p
            ON p.name = l.name AND NOT p.silent AND l.booked_on BETWEEN p.sent_on AND p.sent_on + days
    ),

    whole AS (
        SELECT r.statement_id, r.row_no, r.booked_on
        FROM reach AS r
        GROUP BY r.statement_id, r.row_no, r.booked_on, r.amount_fen
        HAVING abs(sum(r.part_fen) - r.amount_fen) <= tolerance_fen
    ),

    -- a line takes all of its payments or none: those of which another line has taken one are left
    taken AS (
        SELECT
            r.statement_id, r.row_no, r.payment_id, row_number() OVER (
                PARTITION BY r.payment_id ORDER BY w.booked_on, w.statement_id, w.row_no
            ) AS turn
        FROM whole AS w
        INNER JOIN reach AS r ON r.statement_id = w.statement_id AND r.row_no = w.row_no
    ),

    by_payee AS (
        SELECT t.statement_id, t.row_no, t.payment_id, 'payee' AS way
        FROM taken AS t
        WHERE (t.statement_id, t.row_no) NOT IN (SELECT o.statement_id, o.row_no FROM taken AS o WHERE o.turn > 1)
    )

    SELECT m.* FROM by_hand AS m
    UNION ALL
    SELECT m.* FROM by_reference AS m
    UNION ALL
    SELECT m.* FROM by_amount AS m
    UNION ALL
    SELECT m.* FROM by_near AS m
    UNION ALL
    SELECT m.* FROM by_batch AS m
    UNION ALL
    SELECT m.* FROM by_payee AS m
$$;

SELECT append_only('bank_statement');
SELECT append_only('bank_line');
SELECT append_only('bank_match');

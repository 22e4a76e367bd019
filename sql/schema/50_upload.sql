-- What was handed in, and how each of its rows ended. Accepted rows are the invoice lines themselves.

-- pack: the file in which the bytes lie with others, empty when they have one of their own; no fact, so not sealed.
CREATE TABLE document (
    sha256 bytea PRIMARY KEY CHECK (length(sha256) = 32),
    sm3 bytea NOT NULL CHECK (length(sm3) = 32),
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    act_id bigint NOT NULL REFERENCES act,
    pack text COLLATE "C" NOT NULL DEFAULT '' CHECK (pack ~ '^([0-9a-f]{64})?$')
);
CREATE INDEX document_act ON document (act_id);

-- notes: what a document says beside its rows: its version, its marks, that it is signed (never that the signature
-- holds).
CREATE TABLE upload (
    upload_id bigint PRIMARY KEY REFERENCES act,
    sha256 bytea NOT NULL REFERENCES document,
    file_name text NOT NULL,
    format text COLLATE "C" NOT NULL,
    holds text NOT NULL DEFAULT 'invoices' CHECK (holds IN ('invoices', 'usage')),
    provider_uscc text COLLATE "C" NOT NULL DEFAULT '',
    service_month text COLLATE "C" NOT NULL DEFAULT '' CHECK (service_month ~ '^([0-9]{4}-[0-9]{2})?$'),
    received_on date NOT NULL,
    header text NOT NULL,
    rows bigint NOT NULL,
    accepted bigint NOT NULL CHECK (accepted >= 0),
    duplicate bigint NOT NULL CHECK (duplicate >= 0),
    conflict bigint NOT NULL CHECK (conflict >= 0),
    rejected bigint NOT NULL CHECK (rejected >= 0),
    held bigint NOT NULL CHECK (held >= 0),
    notes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(notes) = 'object'),
    CHECK (rows = accepted + duplicate + conflict + rejected + held)
);
CREATE INDEX upload_file ON upload (sha256, provider_uscc, service_month);

CREATE TABLE upload_row (
    upload_id bigint NOT NULL REFERENCES upload,
    sheet text COLLATE "C" NOT NULL,
    row_no bigint NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('duplicate', 'conflict', 'rejected', 'held')),
    invoice_number text COLLATE "C" NOT NULL,
    cells text NOT NULL,
    PRIMARY KEY (upload_id, sheet, row_no)
);
CREATE INDEX upload_row_number ON upload_row (invoice_number);

CREATE TABLE upload_problem (
    upload_id bigint NOT NULL REFERENCES upload,
    problem_no integer NOT NULL,
    sheet text COLLATE "C" NOT NULL,
    row_no bigint,
    code text COLLATE "C" NOT NULL,
    severity text NOT NULL CHECK (severity IN ('blocking', 'error', 'warning')),
    column_name text NOT NULL,
    value text NOT NULL,
    message text NOT NULL,
    invoice_number text COLLATE "C" NOT NULL,
    PRIMARY KEY (upload_id, problem_no)
);
-- what is told of an invoice that waited in an earlier file
CREATE INDEX upload_problem_later ON upload_problem (invoice_number) WHERE row_no IS NULL;

-- The typed content of held rows, until the act that brings what they wait for; and of rows in conflict, until a
-- person decides which document holds.
CREATE TABLE held_row (
    upload_id bigint NOT NULL REFERENCES upload,
    sheet text COLLATE "C" NOT NULL,
    row_no bigint NOT NULL,
    digest text COLLATE "C" NOT NULL,
    invoice_number text COLLATE "C" NOT NULL,
    invoice_kind text NOT NULL CHECK (invoice_kind IN ('blue', 'red')),
    waits_for text NOT NULL CHECK (waits_for IN ('original', 'span', 'tax_codes', 'confirmation', 'resolution')),
    evidence text NOT NULL,
    received_on date NOT NULL,
    content jsonb NOT NULL,
    PRIMARY KEY (upload_id, sheet, row_no)
);
CREATE INDEX held_row_number ON held_row (invoice_number);
CREATE INDEX held_row_original ON held_row ((content ->> 'original_number'));

SELECT append_only('document');
SELECT append_only('upload');
SELECT append_only('upload_row');
SELECT append_only('upload_problem');
SELECT append_only('held_row');

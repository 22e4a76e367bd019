-- Accepted invoices. The acceptance number (受理号) is seal.accepted_before + place.

CREATE TABLE invoice (
    company_id bigint NOT NULL REFERENCES party,
    invoice_id bigint NOT NULL,
    number text COLLATE "C" NOT NULL
    CHECK (number ~ '^([0-9]{20}|[0-9]{10}([0-9]{2})?-[0-9]{8})$'),
    kind text NOT NULL CHECK (kind IN ('blue', 'red')),
    original_number text COLLATE "C" CHECK (kind = 'blue' OR original_number IS NOT NULL),
    provider_id bigint NOT NULL REFERENCES party,
    issued_on date NOT NULL,
    received_on date NOT NULL,
    span daterange CHECK (NOT isempty(span) AND upper(span) <= '2200-01-01'),
    contract_no text COLLATE "C" NOT NULL CHECK (contract_no !~ '[|[:cntrl:]]'),
    net_fen bigint NOT NULL,
    tax_fen bigint NOT NULL,
    gross_fen bigint NOT NULL CHECK (gross_fen = net_fen + tax_fen),
    paid_fen bigint,
    evidence text NOT NULL,
    digest text COLLATE "C" NOT NULL,
    act_id bigint NOT NULL REFERENCES act,
    place integer NOT NULL CHECK (place > 0),
    PRIMARY KEY (company_id, invoice_id),
    UNIQUE (act_id, place),
    CHECK (abs(net_fen) < 10000000000000 AND abs(tax_fen) < 10000000000000),
    CHECK (CASE kind WHEN 'blue' THEN gross_fen >= 0 AND span IS NOT NULL ELSE gross_fen < 0 END)
);
CREATE SEQUENCE invoice_id_seq OWNED BY invoice.invoice_id;
CREATE INDEX invoice_red ON invoice (original_number) WHERE original_number IS NOT NULL;

-- One number is one invoice, across all companies.
CREATE TABLE invoice_number (
    number text COLLATE "C" PRIMARY KEY,
    company_id bigint NOT NULL,
    invoice_id bigint NOT NULL
);

CREATE TABLE invoice_line (
    company_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    line_no integer NOT NULL,
    tax_code text COLLATE "C" NOT NULL,
    item text NOT NULL,
    spec text NOT NULL,
    unit text NOT NULL,
    usage_qty numeric,
    net_fen bigint NOT NULL,
    rate_bp integer,
    tax_fen bigint NOT NULL,
    gross_fen bigint NOT NULL CHECK (gross_fen = net_fen + tax_fen),
    paid_fen bigint,
    remark text NOT NULL,
    sheet text COLLATE "C" NOT NULL,
    row_no bigint NOT NULL,
    upload_id bigint NOT NULL REFERENCES upload,
    PRIMARY KEY (company_id, invoice_id, line_no),
    FOREIGN KEY (company_id, invoice_id) REFERENCES invoice
);

-- The invoices accepted by a cutoff (a seal number), as they were handed in. taken_on: the business day of that.
CREATE TYPE taken_invoice AS (
    company_id bigint, invoice_id bigint, number text COLLATE "C", kind text, original_number text COLLATE "C",
    provider_id bigint, issued_on date, span daterange, net_fen bigint, tax_fen bigint, gross_fen bigint,
    accepted_no bigint, taken_on date
);
CREATE FUNCTION invoice_at(cutoff bigint) RETURNS SETOF taken_invoice LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT
        i.company_id, i.invoice_id, i.number, i.kind, i.original_number, i.provider_id, i.issued_on, i.span, i.net_fen,
        i.tax_fen, i.gross_fen, s.accepted_before + i.place, a.effective_on
    FROM invoice AS i
    INNER JOIN seal AS s ON s.act_id = i.act_id
    INNER JOIN act AS a ON a.act_id = i.act_id
    WHERE s.no <= cutoff;
END;

SELECT append_only('invoice');
SELECT append_only('invoice_number');
SELECT append_only('invoice_line');
GRANT USAGE ON SEQUENCE invoice_id_seq TO cvl_app;

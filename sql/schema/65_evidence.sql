-- Further documents of accepted invoices. The first is the invoice's own; the best counts for lines and span.

-- How much a kind of document proves of lines, codes and parties: the higher the better.
CREATE FUNCTION evidence_rank(kind text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(array_position(ARRAY['qr', 'template', 'pdf', 'export', 'ofd', 'xml'], kind), 0)
$$;

CREATE TABLE evidence (
    company_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    act_id bigint NOT NULL REFERENCES act,
    kind text COLLATE "C" NOT NULL,
    upload_id bigint NOT NULL REFERENCES upload,
    sha256 bytea NOT NULL REFERENCES document,
    net_fen bigint CHECK (net_fen IS NOT NULL OR kind = 'qr'),
    tax_fen bigint CHECK (tax_fen IS NOT NULL OR kind = 'qr'),
    gross_fen bigint CHECK (gross_fen IS NOT NULL OR kind = 'qr'),
    span daterange CHECK (NOT isempty(span) AND upper(span) <= '2200-01-01'),
    has_lines boolean NOT NULL,
    digest text COLLATE "C" NOT NULL,
    PRIMARY KEY (company_id, invoice_id, act_id, kind),
    FOREIGN KEY (company_id, invoice_id) REFERENCES invoice
);
CREATE INDEX evidence_act ON evidence (act_id);

CREATE TABLE evidence_line (
    company_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    act_id bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
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
    remark text NOT NULL,
    sheet text NOT NULL,
    row_no bigint NOT NULL,
    PRIMARY KEY (company_id, invoice_id, act_id, kind, line_no),
    FOREIGN KEY (company_id, invoice_id, act_id, kind) REFERENCES evidence
);
CREATE INDEX evidence_line_act ON evidence_line (act_id);

-- What a document says beside its rows: its version, its marks, that it is signed (never that the signature holds).
CREATE TABLE upload_note (
    upload_id bigint NOT NULL REFERENCES upload,
    note_no integer NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (upload_id, note_no)
);

-- One row per invoice with further evidence by a cutoff. act_id, kind: of the lines that count in place of the
-- invoice's own, NULL when its own are the best. span: a template's, in place of the invoice's own.
CREATE FUNCTION evidence_at(cutoff bigint)
RETURNS TABLE (company_id bigint, invoice_id bigint, act_id bigint, kind text, span daterange)
LANGUAGE sql STABLE AS $$
    SELECT
        e.company_id, e.invoice_id,
        (array_agg(e.act_id ORDER BY evidence_rank(e.kind) DESC, s.no DESC) FILTER (
            WHERE e.has_lines AND evidence_rank(e.kind) > evidence_rank(i.evidence)
        ))[1],
        (array_agg(e.kind ORDER BY evidence_rank(e.kind) DESC, s.no DESC) FILTER (
            WHERE e.has_lines AND evidence_rank(e.kind) > evidence_rank(i.evidence)
        ))[1],
        (array_agg(e.span ORDER BY s.no DESC) FILTER (WHERE e.kind = 'template' AND e.span IS NOT NULL))[1]
    FROM evidence AS e
    INNER JOIN seal AS s ON s.act_id = e.act_id
    INNER JOIN invoice AS i ON i.company_id = e.company_id AND i.invoice_id = e.invoice_id
    WHERE s.no <= cutoff
    GROUP BY e.company_id, e.invoice_id
$$;

SELECT append_only('evidence');
SELECT append_only('evidence_line');
SELECT append_only('upload_note');

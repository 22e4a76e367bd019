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
    contract_no text COLLATE "C" NOT NULL DEFAULT '' CHECK (contract_no !~ '[|[:cntrl:]]'),
    paid_fen bigint,
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

-- Which document of a number a person has decided for; the newest counts. evidence_act_id, kind: of the further
-- document that is kept, NULL when the invoice's own is. The amounts are those of the kept document.
CREATE TABLE resolution (
    act_id bigint PRIMARY KEY REFERENCES act,
    company_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    upload_id bigint NOT NULL REFERENCES upload,
    evidence_act_id bigint,
    kind text COLLATE "C",
    net_fen bigint NOT NULL,
    tax_fen bigint NOT NULL,
    gross_fen bigint NOT NULL CHECK (gross_fen = net_fen + tax_fen),
    why text NOT NULL CHECK (btrim(why) <> ''),
    FOREIGN KEY (company_id, invoice_id) REFERENCES invoice,
    FOREIGN KEY (company_id, invoice_id, evidence_act_id, kind) REFERENCES evidence,
    CHECK ((evidence_act_id IS NULL) = (kind IS NULL))
);
CREATE INDEX resolution_invoice ON resolution (company_id, invoice_id);

-- The resolution that counts for each invoice that has one by a cutoff.
CREATE FUNCTION resolution_at(cutoff bigint) RETURNS SETOF resolution LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (r.company_id, r.invoice_id) r.*
    FROM resolution AS r
    INNER JOIN seal AS s ON s.act_id = r.act_id
    WHERE s.no <= cutoff
    ORDER BY r.company_id, r.invoice_id, s.no DESC
$$;

-- The amounts of an invoice as they count now: its own, or those of the document that a person has decided for.
CREATE VIEW invoice_money AS
SELECT
    i.company_id, i.invoice_id, coalesce(r.net_fen, i.net_fen) AS net_fen, coalesce(r.tax_fen, i.tax_fen) AS tax_fen,
    coalesce(r.gross_fen, i.gross_fen) AS gross_fen
FROM invoice AS i
LEFT JOIN (
    SELECT DISTINCT ON (d.company_id, d.invoice_id) d.company_id, d.invoice_id, d.net_fen, d.tax_fen, d.gross_fen
    FROM resolution AS d
    LEFT JOIN seal AS s ON s.act_id = d.act_id
    ORDER BY d.company_id, d.invoice_id, s.no DESC NULLS FIRST
) AS r ON r.company_id = i.company_id AND r.invoice_id = i.invoice_id;
GRANT SELECT ON invoice_money TO cvl_app, cvl_auditor;

-- One row per invoice with further evidence by a cutoff. act_id, kind: of the lines that count in place of the
-- invoice's own, NULL when its own do: of the best document, or of the one that a person decided for until a better one
-- comes. template_act_id: of the template whose span, payments and contract count in place of the invoice's own, NULL
-- when its own do: the one decided for, else the newest that agrees with the amounts. span: NULL for the invoice's own.
-- net_fen, gross_fen: by how much the amounts differ from the invoice's own since a decision for another document.
CREATE FUNCTION evidence_at(cutoff bigint)
RETURNS TABLE (company_id bigint, invoice_id bigint, act_id bigint, kind text, span daterange, net_fen bigint,
    gross_fen bigint, template_act_id bigint, paid_fen bigint, contract_no text)
LANGUAGE sql STABLE AS $$
    WITH judged AS (
        SELECT
            e.company_id, e.invoice_id, e.act_id, e.kind, s.no, evidence_rank(e.kind) AS rank,
            e.has_lines AND s.no > coalesce(d.no, 0)
            AND evidence_rank(e.kind) > evidence_rank(coalesce(r.kind, i.evidence)) AS better,
            e.act_id = r.evidence_act_id AND e.kind = r.kind AS decided,
            (e.net_fen, e.tax_fen) = (coalesce(r.net_fen, i.net_fen), coalesce(r.tax_fen, i.tax_fen)) AS agrees,
            i.evidence = 'template' AS own_template,
            i.evidence = 'template' AND r.act_id IS NOT NULL AND r.kind IS NULL AS own_decided,
            r.act_id IS NULL OR (r.net_fen, r.tax_fen) = (i.net_fen, i.tax_fen) AS own_agrees,
            r.evidence_act_id AS decided_act_id, r.kind AS decided_kind,
            coalesce(r.net_fen - i.net_fen, 0) AS net_fen, coalesce(r.gross_fen - i.gross_fen, 0) AS gross_fen
        FROM evidence AS e
        INNER JOIN seal AS s ON s.act_id = e.act_id
        INNER JOIN invoice AS i ON i.company_id = e.company_id AND i.invoice_id = e.invoice_id
        LEFT JOIN resolution_at(cutoff) AS r ON r.company_id = e.company_id AND r.invoice_id = e.invoice_id
        LEFT JOIN seal AS d ON d.act_id = r.act_id
        WHERE s.no <= cutoff
    ),

    ranked AS (
        SELECT
            j.company_id, j.invoice_id, j.own_template, j.decided_act_id, j.decided_kind, j.net_fen, j.gross_fen,
            (array_agg(j.act_id ORDER BY j.rank DESC, j.no DESC) FILTER (WHERE j.better))[1] AS better_act_id,
            (array_agg(j.kind ORDER BY j.rank DESC, j.no DESC) FILTER (WHERE j.better))[1] AS better_kind,
            (array_agg(j.act_id ORDER BY coalesce(j.decided, FALSE) DESC, j.agrees DESC, j.no DESC) FILTER (
                WHERE j.kind = 'template' AND NOT j.own_decided
                AND (NOT j.own_template OR j.decided OR j.agrees OR NOT j.own_agrees)
            ))[1] AS template_act_id
        FROM judged AS j
        GROUP BY
            j.company_id, j.invoice_id, j.own_template, j.decided_act_id, j.decided_kind, j.net_fen, j.gross_fen
    )

    SELECT
        k.company_id, k.invoice_id, b.act_id, b.kind,
        CASE WHEN t.act_id IS NOT NULL THEN t.span WHEN NOT k.own_template THEN b.span END,
        k.net_fen, k.gross_fen, t.act_id, t.paid_fen, t.contract_no
    FROM ranked AS k
    LEFT JOIN evidence AS b
        ON b.company_id = k.company_id AND b.invoice_id = k.invoice_id
        AND b.act_id = coalesce(k.better_act_id, k.decided_act_id) AND b.kind = coalesce(k.better_kind, k.decided_kind)
    LEFT JOIN evidence AS t
        ON t.company_id = k.company_id AND t.invoice_id = k.invoice_id AND t.act_id = k.template_act_id
        AND t.kind = 'template'
$$;

SELECT append_only('evidence');
SELECT append_only('evidence_line');
SELECT append_only('resolution');

-- grain:  the temporary tables of an import, made once for a session and empty at the end of each transaction
-- params: none
-- To make them anew for each upload costs more than a small upload itself, in catalogue rows and in plans.
-- stage: one row per row of the files, its cells as uploaded and its typed values
CREATE TEMPORARY TABLE IF NOT EXISTS stage (
    upload_id bigint NOT NULL,
    sheet text NOT NULL,
    row_no bigint NOT NULL,
    raw text NOT NULL,
    digest text COLLATE "C" NOT NULL,
    invoice_number text COLLATE "C",
    invoice_kind text,
    issued_on date,
    provider_uscc text COLLATE "C",
    provider_name text,
    company_uscc text COLLATE "C",
    company_name text,
    contract_no text COLLATE "C",
    service_from date,
    service_until date,
    tax_code text COLLATE "C",
    item text,
    spec text,
    unit text,
    usage_qty numeric,
    net_fen bigint,
    rate_bp integer,
    tax_fen bigint,
    gross_fen bigint,
    paid_fen bigint,
    original_number text COLLATE "C",
    remark text,
    has_error boolean NOT NULL,
    held_upload_id bigint NOT NULL DEFAULT 0
) ON COMMIT DELETE ROWS;

-- context: one row per upload of this transaction
CREATE TEMPORARY TABLE IF NOT EXISTS context (
    upload_id bigint NOT NULL, provider_uscc text COLLATE "C" NOT NULL, service_month text NOT NULL,
    received_on date NOT NULL, service_span daterange, evidence text NOT NULL, sha256 bytea, sm3 bytea,
    size_bytes bigint, file_name text, format text, header text, pack text, notes jsonb
) ON COMMIT DELETE ROWS;

-- several: one row per invoice of more than one row, what its rows agree on; what waits is another than what is in the
-- file under the same number
CREATE TEMPORARY TABLE IF NOT EXISTS several (
    invoice_number text COLLATE "C" NOT NULL, held_upload_id bigint NOT NULL, first_sheet text NOT NULL,
    first_row bigint NOT NULL, rows bigint NOT NULL, has_error boolean NOT NULL, wrong_row bigint,
    differing text[] NOT NULL, identical boolean NOT NULL,
    too_large boolean, net_fen numeric, tax_fen numeric, gross_fen numeric, paid_fen numeric,
    digest text COLLATE "C" NOT NULL
) ON COMMIT DELETE ROWS;

-- entry: one row per invoice number of the files, whole and without faults of its own
CREATE TEMPORARY TABLE IF NOT EXISTS entry (
    upload_id bigint NOT NULL, number text COLLATE "C" NOT NULL, kind text, sheet text NOT NULL,
    first_row bigint NOT NULL, held_upload_id bigint NOT NULL, issued_on date, provider_uscc text COLLATE "C",
    provider_name text, company_uscc text COLLATE "C", company_name text, contract_no text COLLATE "C" NOT NULL,
    original_number text COLLATE "C", span daterange, rows bigint NOT NULL, net_fen bigint, tax_fen bigint,
    gross_fen bigint, paid_fen bigint, digest text COLLATE "C" NOT NULL, fault text
) ON COMMIT DELETE ROWS;

-- judged: one row per entry: known parties, an earlier acceptance, and an outcome
CREATE TEMPORARY TABLE IF NOT EXISTS judged (
    LIKE entry, received_on date NOT NULL, company_id bigint, invoice_id bigint NOT NULL, outcome text NOT NULL,
    code text NOT NULL
) ON COMMIT DELETE ROWS;

-- found: one row per problem that the queries found; Python writes the sentence
CREATE TEMPORARY TABLE IF NOT EXISTS found (
    upload_id bigint NOT NULL,
    code text NOT NULL,
    sheet text NOT NULL DEFAULT '',
    row_no bigint,
    column_name text NOT NULL DEFAULT '',
    value text NOT NULL DEFAULT '',
    invoice_number text COLLATE "C" NOT NULL DEFAULT '',
    words jsonb NOT NULL DEFAULT '{}'
) ON COMMIT DELETE ROWS

-- Usage annexes: what a provider's metering says of an invoice. The lines stand in the document, which is kept; here
-- stand their sums per invoice, day and unit, with the number of lines that each is made of. Amounts are yuan with up
-- to 12 decimals, as clouds bill them: only a sum over an invoice is rounded to fen.

-- One row per invoice and file. basis: whether its amounts hold tax. replaces: what earlier files said of the invoice
-- counts no more, else both count. act_id: the upload's, or that of the invoice which the lines waited for.
CREATE TABLE metering (
    company_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    upload_id bigint NOT NULL REFERENCES upload,
    basis text NOT NULL CHECK (basis IN ('net', 'gross')),
    replaces boolean NOT NULL,
    lines bigint NOT NULL CHECK (lines > 0),
    metered_yuan numeric NOT NULL CHECK (abs(metered_yuan) < 100000000000 AND scale(metered_yuan) <= 12),
    act_id bigint NOT NULL REFERENCES act,
    PRIMARY KEY (company_id, invoice_id, upload_id),
    FOREIGN KEY (company_id, invoice_id) REFERENCES invoice
);
CREATE INDEX metering_act ON metering (act_id);
CREATE INDEX metering_upload ON metering (upload_id);

-- lines: how many lines of the file begin on this day; a line of several days is spread over them evenly.
CREATE TABLE usage_day (
    company_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    upload_id bigint NOT NULL,
    used_on date NOT NULL,
    unit text COLLATE "C" NOT NULL,
    quantity numeric NOT NULL,
    metered_yuan numeric NOT NULL,
    lines bigint NOT NULL CHECK (lines >= 0),
    act_id bigint NOT NULL REFERENCES act,
    PRIMARY KEY (company_id, invoice_id, upload_id, used_on, unit),
    FOREIGN KEY (company_id, invoice_id, upload_id) REFERENCES metering
);
CREATE INDEX usage_day_act ON usage_day (act_id);

-- The same of invoices that are not there yet, until the act that brings them.
CREATE TABLE held_usage (
    upload_id bigint NOT NULL REFERENCES upload,
    invoice_number text COLLATE "C" NOT NULL,
    used_on date NOT NULL,
    unit text COLLATE "C" NOT NULL,
    quantity numeric NOT NULL,
    metered_yuan numeric NOT NULL,
    lines bigint NOT NULL CHECK (lines >= 0),
    basis text NOT NULL CHECK (basis IN ('net', 'gross')),
    replaces boolean NOT NULL,
    PRIMARY KEY (upload_id, invoice_number, used_on, unit)
);
CREATE INDEX held_usage_number ON held_usage (invoice_number);

-- The files that count for each invoice by a cutoff: the newest that replaces, and all after it.
CREATE FUNCTION metering_at(cutoff bigint)
RETURNS TABLE (company_id bigint, invoice_id bigint, upload_id bigint, basis text, metered_yuan numeric)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT k.company_id, k.invoice_id, k.upload_id, k.basis, k.metered_yuan
    FROM (
        SELECT
            m.company_id, m.invoice_id, m.upload_id, m.basis, m.metered_yuan, ARRAY[s.no, m.upload_id] AS at,
            max(CASE WHEN m.replaces THEN ARRAY[s.no, m.upload_id] END) OVER (PARTITION BY m.company_id, m.invoice_id)
                AS since
        FROM metering AS m
        INNER JOIN seal AS s ON s.act_id = m.act_id
        WHERE s.no <= cutoff
    ) AS k
    WHERE k.since IS NULL OR k.at >= k.since;
END;

SELECT append_only('metering');
SELECT append_only('usage_day');
SELECT append_only('held_usage');

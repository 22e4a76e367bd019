-- Fiscal years that were closed, companies that were told to pay back, refusals and contracts.

INSERT INTO allowed_move VALUES
('fiscal_year', 'none', 'closed');

-- The day on which a company was told to pay back what it owes of an invoice.
CREATE TABLE recovery_notice (
    company_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    told_on date NOT NULL,
    act_id bigint NOT NULL REFERENCES act,
    PRIMARY KEY (company_id, invoice_id, act_id),
    FOREIGN KEY (company_id, invoice_id) REFERENCES invoice
);
CREATE INDEX recovery_notice_act ON recovery_notice (act_id);
SELECT append_only('recovery_notice');

-- Claims that are refused, and refusals that are lifted: the newest word on a cap year holds; no cap year means all.
CREATE TABLE refusal (
    company_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    programme_id text COLLATE "C" NOT NULL REFERENCES programme,
    cap_year integer CHECK (cap_year BETWEEN 2000 AND 2199),
    refused boolean NOT NULL,
    why text NOT NULL CHECK (btrim(why) <> ''),
    act_id bigint PRIMARY KEY REFERENCES act,
    FOREIGN KEY (company_id, invoice_id) REFERENCES invoice
);
SELECT append_only('refusal');

-- The register of contracts. The invoices of a number and both parties count against the amount, tax included, by
-- the row in whose span their service begins.
CREATE TABLE contract (
    contract_no text COLLATE "C" NOT NULL CHECK (contract_no <> '' AND contract_no !~ '[|[:cntrl:]]'),
    provider_id bigint NOT NULL REFERENCES party,
    company_id bigint NOT NULL REFERENCES party,
    amount_fen bigint NOT NULL CHECK (amount_fen >= 0 AND amount_fen < 10000000000000),
    from_on date NOT NULL,
    span daterange NOT NULL CHECK (isempty(span) OR (lower(span) = from_on AND upper(span) <= '2200-01-01')),
    act_id bigint NOT NULL REFERENCES act,
    row_no integer NOT NULL,
    PRIMARY KEY (act_id, row_no)
);

CREATE FUNCTION contract_at(cutoff bigint)
RETURNS TABLE (
    contract_no text, provider_id bigint, company_id bigint, amount_fen bigint, from_on date, span daterange
) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT DISTINCT ON (c.contract_no, c.provider_id, c.company_id, c.from_on)
        c.contract_no, c.provider_id, c.company_id, c.amount_fen, c.from_on, c.span
    FROM contract AS c INNER JOIN seal AS s ON s.act_id = c.act_id
    WHERE s.no <= cutoff
    ORDER BY c.contract_no, c.provider_id, c.company_id, c.from_on, s.no DESC, c.row_no DESC;
END;
SELECT append_only('contract');

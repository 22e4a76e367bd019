-- Fiscal years that were closed, and companies that were told to pay back.

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

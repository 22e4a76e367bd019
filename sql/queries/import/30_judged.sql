-- grain:  inserts into judged one row per invoice: known parties, an earlier acceptance, and a first outcome
-- params: none (reads entry, context)
-- source: DESIGN 7 (duplicate, conflict, held) and 6.10 (an invoice all of whose covered days are late is rejected; a
--         reissue has the day of the invoice it names, when that is of the same two and reversed to the last fen)
INSERT INTO judged (
    upload_id, number, kind, sheet, first_row, held_upload_id, issued_on, provider_uscc, provider_name, company_uscc,
    company_name, contract_no, original_number, span, rows, net_fen, tax_fen, gross_fen, paid_fen, digest, fault,
    received_on, company_id, invoice_id, outcome, code
)
WITH covered AS (
    SELECT coalesce(range_agg(f.span), '{}') AS days FROM policy_in_force AS f
),

-- what was held has the day of its own rows: others of that upload may have been handed in before
handed_in AS (
    SELECT h.upload_id, h.invoice_number, min(h.received_on) AS received_on
    FROM held_row AS h
    INNER JOIN entry AS e ON e.held_upload_id = h.upload_id AND e.number = h.invoice_number
    GROUP BY h.upload_id, h.invoice_number
),

open_again AS (
    SELECT h.invoice_number, min(h.received_on) AS received_on
    FROM held_row AS h
    WHERE h.waits_for <> 'resolution' AND EXISTS (SELECT FROM entry AS e WHERE e.number = h.invoice_number)
    GROUP BY h.invoice_number
),

-- the invoices that new ones name, by number and then by key
named AS MATERIALIZED (
    SELECT n.number, i.company_id, i.invoice_id, i.provider_id, i.received_on
    FROM invoice_number AS n
    INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id AND i.kind = 'blue'
    WHERE n.number IN (SELECT e.original_number FROM entry AS e WHERE e.kind = 'blue')
),

reissue AS MATERIALIZED (
    SELECT
        e.number, e.company_uscc, e.provider_uscc, e.original_number, d.received_on, m.net_fen, m.tax_fen
    FROM entry AS e
    INNER JOIN named AS d ON d.number = e.original_number
    INNER JOIN party AS c ON c.party_id = d.company_id AND c.uscc = e.company_uscc
    INNER JOIN party AS p ON p.party_id = d.provider_id AND p.uscc = e.provider_uscc
    INNER JOIN invoice_money AS m ON m.company_id = d.company_id AND m.invoice_id = d.invoice_id
    WHERE e.kind = 'blue'
),

-- red-letters that come with it count too: of those one that would not fit leaves no zero
red_letter AS (
    SELECT r.original_number, m.net_fen, m.tax_fen
    FROM invoice AS r
    INNER JOIN invoice_money AS m ON m.company_id = r.company_id AND m.invoice_id = r.invoice_id
    WHERE r.kind = 'red' AND r.original_number IN (SELECT o.original_number FROM reissue AS o)
    UNION ALL
    SELECT e.original_number, e.net_fen, e.tax_fen
    FROM entry AS e
    WHERE
        e.kind = 'red' AND e.fault IS NULL
        AND (e.original_number, e.company_uscc, e.provider_uscc) IN (
            SELECT o.original_number, o.company_uscc, o.provider_uscc FROM reissue AS o
        )
        AND NOT EXISTS (SELECT FROM invoice_number AS a WHERE a.number = e.number)
),

reversed AS (
    SELECT o.number, o.received_on
    FROM reissue AS o
    INNER JOIN red_letter AS r ON r.original_number = o.original_number
    GROUP BY o.number, o.received_on, o.net_fen, o.tax_fen
    HAVING o.net_fen + sum(r.net_fen) = 0 AND o.tax_fen + sum(r.tax_fen) = 0
),

days AS (
    SELECT DISTINCT x.received_on FROM context AS x
    UNION
    SELECT o.received_on FROM open_again AS o
    UNION
    SELECT h.received_on FROM handed_in AS h
    UNION
    SELECT v.received_on FROM reversed AS v
),

-- a year of a programme has the deadline of its last document
open_year AS (
    SELECT
        y.year, range_agg(f.span * daterange(make_date(y.year, 1, 1), make_date(y.year + 1, 1, 1))) AS days,
        (array_agg(f.parameters ->> 'claim_deadline' ORDER BY upper(f.span) DESC))[1] AS deadline
    FROM policy_in_force AS f
    CROSS JOIN LATERAL generate_series(
        CAST(extract(YEAR FROM lower(f.span)) AS integer), CAST(extract(YEAR FROM upper(f.span) - 1) AS integer)
    ) AS y (year)
    GROUP BY f.programme_id, y.year
),

in_time AS (
    SELECT
        d.received_on,
        coalesce(range_agg(o.days) FILTER (
            WHERE d.received_on <= CAST((o.year + 1) || '-' || o.deadline AS date)
        ), '{}') AS days
    FROM days AS d
    LEFT JOIN open_year AS o ON TRUE
    GROUP BY d.received_on
),

-- parties by code, invoices by number and then by key, each an index: a small upload must not read all the books
known AS (
    SELECT p.party_id, p.uscc
    FROM party AS p
    WHERE
        p.uscc IN (SELECT e.company_uscc FROM entry AS e)
        AND EXISTS (SELECT FROM qualification AS q WHERE q.company_id = p.party_id)
),

accepted AS (
    SELECT a.number, i.digest
    FROM invoice_number AS a
    INNER JOIN invoice AS i ON i.company_id = a.company_id AND i.invoice_id = a.invoice_id
    WHERE a.number IN (SELECT e.number FROM entry AS e)
),

dated AS (
    SELECT e.*, least(o.received_on, coalesce(h.received_on, x.received_on), v.received_on) AS received_on
    FROM entry AS e
    INNER JOIN context AS x ON x.upload_id = e.upload_id
    LEFT JOIN handed_in AS h ON h.upload_id = e.held_upload_id AND h.invoice_number = e.number
    LEFT JOIN open_again AS o ON o.invoice_number = e.number
    LEFT JOIN reversed AS v ON v.number = e.number
)

SELECT
    e.*, k.party_id AS company_id, nextval('invoice_id_seq') AS invoice_id,
    CASE
        WHEN e.fault IS NOT NULL THEN 'rejected'
        WHEN a.number IS NOT NULL THEN CASE WHEN a.digest = e.digest THEN 'duplicate' ELSE 'conflict' END
        WHEN k.party_id IS NULL THEN 'rejected'
        WHEN e.kind = 'red' THEN 'red'
        WHEN e.span IS NULL THEN 'held'
        WHEN c.days && e.span AND NOT t.days && e.span THEN 'rejected'
        ELSE 'accepted'
    END AS outcome,
    CASE
        WHEN e.fault IS NOT NULL THEN e.fault
        WHEN a.number IS NOT NULL
            THEN CASE WHEN a.digest = e.digest THEN 'duplicate_invoice' ELSE 'conflict_invoice' END
        WHEN k.party_id IS NULL THEN 'unknown_company'
        WHEN e.kind = 'red' THEN ''
        WHEN e.span IS NULL THEN 'service_span_missing'
        WHEN c.days && e.span AND NOT t.days && e.span THEN 'past_claim_deadline'
        ELSE ''
    END AS code
FROM dated AS e
CROSS JOIN covered AS c
INNER JOIN in_time AS t ON t.received_on = e.received_on
LEFT JOIN known AS k ON k.uscc = e.company_uscc
LEFT JOIN accepted AS a ON a.number = e.number

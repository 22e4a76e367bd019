-- grain:  one row per claim that a draft still has to do with, and per blue invoice held at the door; the year and the
--         day it was handed in are null where they do not matter or are not known
-- params: run_id (of the draft)
WITH held AS (
    SELECT DISTINCT ON (h.invoice_number)
        p.party_id AS company_id, h.invoice_number, h.received_on,
        CAST(h.content ->> 'service_from' AS date) AS first_on, CAST(h.content ->> 'service_until' AS date) AS last_on
    FROM held_row AS h
    INNER JOIN party AS p ON p.uscc = h.content ->> 'company_uscc'
    WHERE
        h.invoice_kind = 'blue'
        AND NOT EXISTS (SELECT FROM invoice_number AS n WHERE n.number = h.invoice_number)
    ORDER BY h.invoice_number, h.received_on
)

SELECT l.company_id, l.cap_year, i.number AS invoice_number, CAST(NULL AS date) AS received_on
FROM (
    SELECT d.company_id, d.cap_year, d.invoice_id FROM draft_line AS d WHERE d.run_id = CAST(:run_id AS bigint)
    UNION
    SELECT d.company_id, d.cap_year, d.invoice_id FROM draft_listed AS d WHERE d.run_id = CAST(:run_id AS bigint)
) AS l
INNER JOIN invoice AS i ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id
UNION ALL
SELECT h.company_id, y.year, h.invoice_number, h.received_on
FROM held AS h
LEFT JOIN LATERAL generate_series(
    CAST(extract(YEAR FROM h.first_on) AS integer), CAST(extract(YEAR FROM h.last_on) AS integer)
) AS y (year) ON TRUE
ORDER BY company_id, invoice_number, cap_year

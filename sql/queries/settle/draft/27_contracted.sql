-- grain:  temporary table contracted, one row per invoice of a registered contract: what is left of it before, gross
-- params: none (reads asked, added)
-- source: DESIGN 6.1; the invoices of a number and both parties count against the contract in whose span their
--         service begins, in acceptance order
CREATE TEMPORARY TABLE contracted ON COMMIT DROP AS
WITH belongs AS (
    SELECT DISTINCT ON (i.company_id, i.invoice_id)
        i.company_id, i.invoice_id, i.provider_id, k.contract_no, k.from_on, k.amount_fen,
        s.accepted_before + i.place AS accepted_no, i.gross_fen + coalesce(x.gross_fen, 0) AS gross_fen
    FROM contract_at((SELECT a.cutoff FROM asked AS a)) AS k
    INNER JOIN invoice AS i
        ON i.company_id = k.company_id AND i.provider_id = k.provider_id AND i.kind = 'blue'
    INNER JOIN seal AS s ON s.act_id = i.act_id
    LEFT JOIN added AS x ON x.company_id = i.company_id AND x.invoice_id = i.invoice_id
    WHERE
        coalesce(x.contract_no, i.contract_no) = k.contract_no
        AND lower(coalesce(x.span, i.span)) <@ k.span
        AND s.no <= (SELECT a.cutoff FROM asked AS a)
    ORDER BY i.company_id, i.invoice_id, k.from_on DESC
),

used AS (
    SELECT
        b.company_id, b.invoice_id, b.amount_fen, b.gross_fen,
        sum(b.gross_fen) OVER (
            PARTITION BY b.company_id, b.provider_id, b.contract_no, b.from_on ORDER BY b.accepted_no
            ROWS UNBOUNDED PRECEDING
        ) AS cum_fen
    FROM belongs AS b
)

SELECT u.company_id, u.invoice_id, CAST(greatest(0, u.amount_fen - (u.cum_fen - u.gross_fen)) AS bigint) AS left_fen
FROM used AS u

-- grain:  one row per invoice number ever handed in: accepted ones by acceptance number, then the others as they
--         ended last
-- params: company (USCC), provider (USCC), status (accepted, held, conflict, rejected), number (its beginning),
--         uploader (USCC: of whose invoices and files), month (its first day: of service, else of handing in),
--         rows (how many), skip (how many before); null for all; cutoff (seal number: as it stood then; null for now)
WITH accepted AS (
    SELECT
        i.number, 'accepted' AS status, s.accepted_before + i.place AS accepted_no, i.kind, c.uscc AS company,
        p.uscc AS provider, lower(i.span) AS from_on, upper(i.span) - 1 AS until_on, i.net_fen, i.gross_fen,
        i.received_on, g.fen AS granted_fen, p.uscc AS uploader
    FROM invoice AS i
    INNER JOIN seal AS s ON s.act_id = i.act_id
    INNER JOIN party AS c ON c.party_id = i.company_id
    INNER JOIN party AS p ON p.party_id = i.provider_id
    LEFT JOIN granted_at(coalesce(CAST(:cutoff AS bigint), 9223372036854775807)) AS g
        ON g.company_id = i.company_id AND g.invoice_id = i.invoice_id
    WHERE s.no <= coalesce(CAST(:cutoff AS bigint), 9223372036854775807)
),

other AS (
    SELECT DISTINCT ON (r.invoice_number)
        r.invoice_number, r.outcome, u.received_on,
        coalesce(h.content ->> 'company_uscc', nullif(split_part(
            r.cells, chr(31),
            array_position(string_to_array(translate(u.header, ' *＊', ''), chr(31)), '用方统一社会信用代码')
        ), '')) AS company,
        coalesce(h.content ->> 'provider_uscc', nullif(split_part(
            r.cells, chr(31),
            array_position(string_to_array(translate(u.header, ' *＊', ''), chr(31)), '供方统一社会信用代码')
        ), '')) AS provider,
        u.provider_uscc AS uploader
    FROM upload_row AS r
    INNER JOIN upload AS u ON u.upload_id = r.upload_id
    INNER JOIN seal AS s ON s.act_id = u.upload_id
    LEFT JOIN held_row AS h ON h.upload_id = r.upload_id AND h.sheet = r.sheet AND h.row_no = r.row_no
    WHERE
        r.invoice_number <> ''
        AND s.no <= coalesce(CAST(:cutoff AS bigint), 9223372036854775807)
        AND NOT EXISTS (SELECT FROM accepted AS a WHERE a.number = r.invoice_number)
    ORDER BY r.invoice_number, s.no DESC, r.row_no
),

everything AS (
    SELECT a.* FROM accepted AS a
    UNION ALL
    SELECT o.invoice_number, o.outcome, NULL, NULL, o.company, o.provider, NULL, NULL, NULL, NULL, o.received_on, NULL,
        o.uploader
    FROM other AS o
)

SELECT e.*
FROM everything AS e
WHERE
    (CAST(:company AS text) IS NULL OR e.company = CAST(:company AS text))
    AND (CAST(:provider AS text) IS NULL OR e.provider = CAST(:provider AS text))
    AND (CAST(:status AS text) IS NULL OR e.status = CAST(:status AS text))
    AND (CAST(:uploader AS text) IS NULL OR e.uploader = CAST(:uploader AS text))
    AND (CAST(:number AS text) IS NULL OR starts_with(e.number, CAST(:number AS text)))
    AND (
        CAST(:month AS date) IS NULL
        OR date_trunc('month', coalesce(e.until_on, e.received_on)) = CAST(:month AS date)
    )
ORDER BY e.accepted_no NULLS LAST, e.number COLLATE "C"
LIMIT CAST(:rows AS bigint)
OFFSET CAST(coalesce(:skip, 0) AS bigint)

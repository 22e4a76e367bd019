-- grain:  one row per invoice number ever handed in: accepted ones by acceptance number, then the others as they
--         ended last
-- params: company (USCC), provider (USCC), status (accepted, held, conflict, rejected), number (its beginning),
--         uploader (USCC: of whose invoices and files), month (its first day: of service, else of handing in),
--         rows (how many), skip (how many before); null for all; cutoff (seal number: as it stood then; null for now)
-- No more accepted invoices are read than the page and those before it need, in the order of the seals.
WITH asked AS (
    SELECT
        (SELECT p.party_id FROM party AS p WHERE p.uscc = CAST(:company AS text)) AS company_id,
        (SELECT p.party_id FROM party AS p WHERE p.uscc = CAST(:provider AS text)) AS provider_id,
        (SELECT p.party_id FROM party AS p WHERE p.uscc = CAST(:uploader AS text)) AS uploader_id
),

accepted AS (
    SELECT
        i.number, 'accepted' AS status, s.accepted_before + i.place AS accepted_no, i.kind, i.span, i.net_fen,
        i.gross_fen, i.received_on, i.company_id, i.invoice_id, i.provider_id
    FROM seal AS s
    INNER JOIN invoice AS i ON i.act_id = s.act_id
    CROSS JOIN asked AS q
    WHERE
        s.no <= coalesce(CAST(:cutoff AS bigint), 9223372036854775807)
        AND coalesce(CAST(:status AS text), 'accepted') = 'accepted'
        AND (CAST(:company AS text) IS NULL OR i.company_id = q.company_id)
        AND (CAST(:provider AS text) IS NULL OR i.provider_id = q.provider_id)
        AND (CAST(:uploader AS text) IS NULL OR i.provider_id = q.uploader_id)
        AND (CAST(:number AS text) IS NULL OR starts_with(i.number, CAST(:number AS text)))
        AND (
            CAST(:month AS date) IS NULL
            OR date_trunc('month', coalesce(upper(i.span) - 1, i.received_on)) = CAST(:month AS date)
        )
    ORDER BY s.no, i.place
    LIMIT CAST(:rows AS bigint) + CAST(coalesce(:skip, 0) AS bigint)
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
        AND NOT EXISTS (
            SELECT FROM invoice_number AS n
            INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
            INNER JOIN seal AS a ON a.act_id = i.act_id
            WHERE
                n.number = r.invoice_number
                AND a.no <= coalesce(CAST(:cutoff AS bigint), 9223372036854775807)
        )
    ORDER BY r.invoice_number, s.no DESC, r.row_no
),

page AS (
    SELECT
        a.number, a.status, a.accepted_no, a.kind, c.uscc AS company, p.uscc AS provider, lower(a.span) AS from_on,
        upper(a.span) - 1 AS until_on, a.net_fen, a.gross_fen, a.received_on, p.uscc AS uploader, a.company_id,
        a.invoice_id
    FROM accepted AS a
    INNER JOIN party AS c ON c.party_id = a.company_id
    INNER JOIN party AS p ON p.party_id = a.provider_id
    UNION ALL
    SELECT
        o.invoice_number, o.outcome, NULL, NULL, o.company, o.provider, NULL, NULL, NULL, NULL, o.received_on,
        o.uploader, NULL, NULL
    FROM other AS o
    WHERE
        (CAST(:company AS text) IS NULL OR o.company = CAST(:company AS text))
        AND (CAST(:provider AS text) IS NULL OR o.provider = CAST(:provider AS text))
        AND (CAST(:status AS text) IS NULL OR o.outcome = CAST(:status AS text))
        AND (CAST(:uploader AS text) IS NULL OR o.uploader = CAST(:uploader AS text))
        AND (CAST(:number AS text) IS NULL OR starts_with(o.invoice_number, CAST(:number AS text)))
        AND (CAST(:month AS date) IS NULL OR date_trunc('month', o.received_on) = CAST(:month AS date))
    ORDER BY accepted_no NULLS LAST, number
    LIMIT CAST(:rows AS bigint)
    OFFSET CAST(coalesce(:skip, 0) AS bigint)
),

granted AS (
    SELECT g.company_id, g.invoice_id, g.fen
    FROM granted_at(coalesce(CAST(:cutoff AS bigint), 9223372036854775807)) AS g
    WHERE g.company_id = any(ARRAY(SELECT DISTINCT p.company_id FROM page AS p))
)

SELECT
    p.number, p.status, p.accepted_no, p.kind, p.company, p.provider, p.from_on, p.until_on, p.net_fen, p.gross_fen,
    p.received_on, g.fen AS granted_fen, p.uploader
FROM page AS p
LEFT JOIN granted AS g ON g.company_id = p.company_id AND g.invoice_id = p.invoice_id
ORDER BY p.accepted_no NULLS LAST, p.number

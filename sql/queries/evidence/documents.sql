-- grain:  one row per document and kind under an invoice number, as it was handed in by the cutoff: oldest first
--         state: own (accepted with it), evidence, conflict, held; counts: its lines are the ones that count then
--         waits_for: of one that was not accepted; open: nobody has decided between the documents since it came
-- params: number, cutoff (seal number)
WITH accepted AS (
    SELECT
        i.company_id, i.invoice_id, i.evidence, i.net_fen, i.tax_fen, i.gross_fen, v.act_id AS best_act_id,
        v.kind AS best_kind, v.span IS NOT NULL AS other_span, v.template_act_id
    FROM invoice_number AS n
    INNER JOIN invoice AS i ON i.company_id = n.company_id AND i.invoice_id = n.invoice_id
    INNER JOIN seal AS s ON s.act_id = i.act_id AND s.no <= CAST(:cutoff AS bigint)
    LEFT JOIN evidence_at(CAST(:cutoff AS bigint)) AS v ON v.company_id = i.company_id AND v.invoice_id = i.invoice_id
    WHERE n.number = :number
),

waiting AS (
    SELECT
        h.upload_id, h.evidence AS kind, min(h.waits_for) AS waits_for,
        CAST(sum(CAST(h.content ->> 'net_fen' AS bigint)) AS bigint) AS net_fen,
        CAST(sum(CAST(h.content ->> 'tax_fen' AS bigint)) AS bigint) AS tax_fen,
        CAST(sum(CAST(h.content ->> 'gross_fen' AS bigint)) AS bigint) AS gross_fen,
        bool_and(h.content ->> 'tax_code' IS NOT NULL) AS has_lines,
        min(h.content ->> 'company_uscc') AS company, min(h.content ->> 'provider_uscc') AS provider,
        min(h.invoice_kind) AS invoice_kind, bool_and(h.content ->> 'service_from' IS NOT NULL) AS has_span,
        min(h.content ->> 'original_number') AS original_number
    FROM held_row AS h
    INNER JOIN seal AS s ON s.act_id = h.upload_id AND s.no <= CAST(:cutoff AS bigint)
    WHERE h.invoice_number = :number
    GROUP BY h.upload_id, h.evidence
),

named AS (
    SELECT DISTINCT
        l.upload_id, a.evidence AS kind, 'own' AS state, a.net_fen, a.tax_fen, a.gross_fen, TRUE AS has_lines,
        CAST(NULL AS bigint) AS evidence_act_id,
        a.best_kind IS NULL AS counts, CAST(NULL AS text) AS company, CAST(NULL AS text) AS provider,
        CAST(NULL AS text) AS invoice_kind, NOT coalesce(a.other_span, FALSE) AS gives_span,
        CAST(NULL AS text) AS waits_for, TRUE AS has_span, CAST(NULL AS text) AS original_number
    FROM accepted AS a
    INNER JOIN invoice_line AS l ON l.company_id = a.company_id AND l.invoice_id = a.invoice_id
    UNION ALL
    SELECT
        e.upload_id, e.kind, 'evidence', e.net_fen, e.tax_fen, e.gross_fen, e.has_lines, e.act_id,
        coalesce(e.act_id = a.best_act_id AND e.kind = a.best_kind, FALSE), NULL, NULL, NULL,
        e.span IS NOT NULL AND a.other_span AND e.act_id = coalesce(a.template_act_id, a.best_act_id)
        AND e.kind = CASE WHEN a.template_act_id IS NULL THEN a.best_kind ELSE 'template' END,
        NULL, TRUE, NULL
    FROM accepted AS a
    INNER JOIN evidence AS e ON e.company_id = a.company_id AND e.invoice_id = a.invoice_id
    INNER JOIN seal AS s ON s.act_id = e.act_id AND s.no <= CAST(:cutoff AS bigint)
    UNION ALL
    SELECT
        w.upload_id, w.kind, CASE w.waits_for WHEN 'resolution' THEN 'conflict' ELSE 'held' END, w.net_fen, w.tax_fen,
        w.gross_fen, w.has_lines, NULL, FALSE, w.company, w.provider, w.invoice_kind, FALSE, w.waits_for, w.has_span,
        w.original_number
    FROM waiting AS w
    WHERE
        NOT EXISTS (
            SELECT FROM accepted AS a
            INNER JOIN evidence AS e ON e.company_id = a.company_id AND e.invoice_id = a.invoice_id
            INNER JOIN seal AS s ON s.act_id = e.act_id AND s.no <= CAST(:cutoff AS bigint)
            WHERE e.upload_id = w.upload_id AND e.kind = w.kind
        )
        AND NOT EXISTS (
            SELECT FROM accepted AS a
            INNER JOIN invoice_line AS l ON l.company_id = a.company_id AND l.invoice_id = a.invoice_id
            WHERE l.upload_id = w.upload_id
        )
)

SELECT
    n.upload_id, encode(u.sha256, 'hex') AS sha256, u.file_name, n.kind, n.state, n.net_fen, n.tax_fen, n.gross_fen,
    n.has_lines, n.evidence_act_id, n.counts, n.gives_span, u.received_on, n.company, n.provider, n.invoice_kind,
    u.notes - 'evidence' AS notes, n.waits_for, n.has_span, n.original_number,
    n.waits_for IS NOT NULL AND NOT EXISTS (
        SELECT FROM resolution AS r
        INNER JOIN accepted AS a ON a.company_id = r.company_id AND a.invoice_id = r.invoice_id
        INNER JOIN seal AS d ON d.act_id = r.act_id AND d.no <= CAST(:cutoff AS bigint)
        WHERE d.no > s.no
    ) AS open
FROM named AS n
INNER JOIN upload AS u ON u.upload_id = n.upload_id
INNER JOIN seal AS s ON s.act_id = n.upload_id
ORDER BY s.no, n.kind

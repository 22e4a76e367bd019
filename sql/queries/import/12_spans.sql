-- grain:  updates the staged blue rows without a service span for which a waiting document of another kind has one
-- params: none (reads stage, context)
-- source: DESIGN 7; the span comes from the template, else from the remark of another document; what another
--         provider handed in is left where it is
UPDATE stage AS s
SET service_from = t.service_from, service_until = t.service_until
FROM (
    SELECT DISTINCT ON (h.invoice_number)
        h.invoice_number,
        CAST(h.content ->> 'service_from' AS date) AS service_from,
        CAST(h.content ->> 'service_until' AS date) AS service_until
    FROM held_row AS h
    INNER JOIN (
        SELECT DISTINCT s.invoice_number, s.provider_uscc, x.evidence
        FROM stage AS s
        INNER JOIN context AS x ON x.upload_id = s.upload_id
        WHERE s.service_from IS NULL AND s.invoice_kind = 'blue'
    ) AS n ON n.invoice_number = h.invoice_number AND n.evidence <> h.evidence
    INNER JOIN upload AS u ON u.upload_id = h.upload_id AND u.provider_uscc IN ('', n.provider_uscc)
    WHERE
        h.invoice_kind = 'blue' AND h.waits_for NOT IN ('resolution', 'confirmation')
        AND h.content ->> 'service_from' IS NOT NULL
    ORDER BY h.invoice_number, h.evidence = 'template' DESC, evidence_rank(h.evidence) DESC, h.upload_id DESC
) AS t
WHERE t.invoice_number = s.invoice_number AND s.service_from IS NULL AND s.held_upload_id = 0

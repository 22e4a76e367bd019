-- grain:  inserts the uploads with their counts of rows
-- params: none (reads context, stage, judged)
WITH counted AS (
    SELECT
        s.upload_id, count(*) AS rows,
        count(*) FILTER (WHERE j.outcome = 'accepted') AS accepted,
        count(*) FILTER (WHERE j.outcome = 'duplicate') AS duplicate,
        count(*) FILTER (WHERE j.outcome = 'conflict') AS conflict,
        count(*) FILTER (WHERE coalesce(j.outcome, 'rejected') = 'rejected') AS rejected,
        count(*) FILTER (WHERE j.outcome = 'held') AS held
    FROM stage AS s
    LEFT JOIN judged AS j ON j.number = s.invoice_number AND j.held_upload_id = s.held_upload_id
    WHERE s.held_upload_id = 0
    GROUP BY s.upload_id
)

INSERT INTO upload (
    upload_id, sha256, file_name, format, provider_uscc, service_month, received_on, header, rows, accepted, duplicate,
    conflict, rejected, held, notes
)
SELECT
    x.upload_id, x.sha256, x.file_name, x.format, x.provider_uscc, x.service_month, x.received_on, x.header,
    coalesce(o.rows, 0), coalesce(o.accepted, 0), coalesce(o.duplicate, 0), coalesce(o.conflict, 0),
    coalesce(o.rejected, 0), coalesce(o.held, 0), x.notes
FROM context AS x
LEFT JOIN counted AS o ON o.upload_id = x.upload_id

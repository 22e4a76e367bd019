-- grain:  inserts the uploads with their counts of rows
-- params: none (reads context, stage, judged)
WITH outcome AS (
    SELECT s.upload_id, coalesce(j.outcome, 'rejected') AS outcome, count(*) AS rows
    FROM stage AS s
    LEFT JOIN judged AS j ON j.number = s.invoice_number
    WHERE s.held_upload_id = 0
    GROUP BY s.upload_id, coalesce(j.outcome, 'rejected')
)

INSERT INTO upload (
    upload_id, sha256, file_name, format, provider_uscc, service_month, received_on, header, rows, accepted, duplicate,
    conflict, rejected, held
)
SELECT
    x.upload_id, x.sha256, x.file_name, x.format, x.provider_uscc, x.service_month, x.received_on, x.header,
    coalesce(sum(o.rows), 0),
    coalesce(sum(o.rows) FILTER (WHERE o.outcome = 'accepted'), 0),
    coalesce(sum(o.rows) FILTER (WHERE o.outcome = 'duplicate'), 0),
    coalesce(sum(o.rows) FILTER (WHERE o.outcome = 'conflict'), 0),
    coalesce(sum(o.rows) FILTER (WHERE o.outcome = 'rejected'), 0),
    coalesce(sum(o.rows) FILTER (WHERE o.outcome = 'held'), 0)
FROM context AS x
LEFT JOIN outcome AS o ON o.upload_id = x.upload_id
GROUP BY
    x.upload_id, x.sha256, x.file_name, x.format, x.provider_uscc, x.service_month, x.received_on, x.header

-- grain:  inserts one upload with its counts of rows
-- params: upload_id, sha256 (hex), file_name, format, provider, service_month, received_on,
--         header (cells joined by the unit separator)
WITH outcome AS (
    SELECT coalesce(j.outcome, 'rejected') AS outcome, count(*) AS rows
    FROM stage AS s
    LEFT JOIN judged AS j ON j.number = s.invoice_number
    WHERE s.held_upload_id = 0
    GROUP BY coalesce(j.outcome, 'rejected')
)

INSERT INTO upload (
    upload_id, sha256, file_name, format, provider_uscc, service_month, received_on, header, rows, accepted, duplicate,
    conflict, rejected, held
)
SELECT
    CAST(:upload_id AS bigint), decode(:sha256, 'hex'), :file_name, :format, :provider, :service_month, :received_on,
    :header,
    coalesce(sum(o.rows), 0),
    coalesce(sum(o.rows) FILTER (WHERE o.outcome = 'accepted'), 0),
    coalesce(sum(o.rows) FILTER (WHERE o.outcome = 'duplicate'), 0),
    coalesce(sum(o.rows) FILTER (WHERE o.outcome = 'conflict'), 0),
    coalesce(sum(o.rows) FILTER (WHERE o.outcome = 'rejected'), 0),
    coalesce(sum(o.rows) FILTER (WHERE o.outcome = 'held'), 0)
FROM outcome AS o

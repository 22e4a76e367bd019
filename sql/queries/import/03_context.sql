-- grain:  inserts the context of one upload
-- params: upload_id, provider (may be empty), received_on, service_from (or null), service_until (exclusive), evidence
INSERT INTO context (upload_id, provider_uscc, received_on, service_span, evidence)
VALUES (
    :upload_id, :provider, :received_on,
    CASE WHEN CAST(:service_from AS date) IS NOT NULL
        THEN daterange(CAST(:service_from AS date), CAST(:service_until AS date)) END,
    :evidence
)

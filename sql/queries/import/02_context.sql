-- grain:  temporary table context, one row: the upload
-- params: none
CREATE TEMPORARY TABLE context (
    upload_id bigint NOT NULL, provider_uscc text COLLATE "C" NOT NULL, received_on date NOT NULL,
    service_span daterange, evidence text NOT NULL
) ON COMMIT DROP

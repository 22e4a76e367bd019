-- grain:  temporary table found, one row per problem that the queries found; Python writes the sentence
-- params: none
CREATE TEMPORARY TABLE found (
    upload_id bigint NOT NULL,
    code text NOT NULL,
    sheet text NOT NULL DEFAULT '',
    row_no bigint,
    column_name text NOT NULL DEFAULT '',
    value text NOT NULL DEFAULT '',
    invoice_number text COLLATE "C" NOT NULL DEFAULT '',
    words jsonb NOT NULL DEFAULT '{}'
) ON COMMIT DROP

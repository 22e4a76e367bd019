-- How a provider's own sheet is read: by provider (empty: everybody's) and header row; the newest holds.

CREATE TABLE mapping (
    act_id bigint PRIMARY KEY REFERENCES act,
    provider_uscc text COLLATE "C" NOT NULL,
    header_sha256 bytea NOT NULL CHECK (length(header_sha256) = 32),
    header text NOT NULL,
    profile text NOT NULL
);
CREATE INDEX mapping_header ON mapping (header_sha256, provider_uscc);

SELECT append_only('mapping');

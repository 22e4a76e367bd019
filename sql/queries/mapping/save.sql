-- grain:  inserts one mapping profile
-- params: act_id, provider (USCC, may be empty), header_sha256 (hex), header (cells joined by the unit separator),
--         profile (canonical JSON)
INSERT INTO mapping (act_id, provider_uscc, header_sha256, header, profile)
VALUES (CAST(:act_id AS bigint), :provider, decode(:header_sha256, 'hex'), :header, :profile)

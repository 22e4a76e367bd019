-- grain:  one row: the snapshot of this transaction for pg_dump, the server's version and the last seal in it
-- params: none
SELECT
    pg_export_snapshot() AS snapshot, CAST(current_setting('server_version_num') AS integer) / 10000 AS major,
    s.no, encode(s.chain_sha256, 'hex') AS chain_sha256, encode(s.chain_sm3, 'hex') AS chain_sm3
FROM seal AS s
ORDER BY s.no DESC
LIMIT 1

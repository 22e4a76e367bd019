-- grain:  one row: the seal after which the chain has a digest, by either of its two; none when there is none
-- params: digest (hex)
SELECT s.no, encode(s.chain_sha256, 'hex') AS chain_sha256, encode(s.chain_sm3, 'hex') AS chain_sm3
FROM seal AS s
WHERE encode(s.chain_sha256, 'hex') = :digest OR encode(s.chain_sm3, 'hex') = :digest
ORDER BY s.no
LIMIT 1

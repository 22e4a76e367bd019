-- grain:  inserts one recovery code per digest
-- params: name, codes_sha256
INSERT INTO recovery_code (name, code_sha256)
SELECT :name, c.code_sha256
FROM unnest(CAST(:codes_sha256 AS bytea[])) AS c (code_sha256)

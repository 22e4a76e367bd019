-- grain:  deletes one recovery code, which is good once; no row when there is none such
-- params: name, code_sha256
DELETE FROM recovery_code WHERE name = :name AND code_sha256 = :code_sha256

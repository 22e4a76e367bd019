-- grain:  one row per uploaded file that an act names, in order
-- params: none
SELECT encode(d.sha256, 'hex') AS sha256, d.size_bytes FROM document AS d ORDER BY d.sha256

-- grain:  one row per uploaded file that an act names, those of a pack together
-- params: none
SELECT encode(d.sha256, 'hex') AS sha256, d.pack FROM document AS d ORDER BY d.pack, d.sha256

-- grain:  one row: the pack in which a document lies, empty for none
-- params: sha256 (hex)
SELECT d.pack FROM document AS d WHERE d.sha256 = decode(:sha256, 'hex')

-- grain:  one row: how many of these lines earlier statements had
-- params: digests (text[])
SELECT count(*) AS lines FROM bank_line AS l WHERE l.line_digest = ANY(CAST(:digests AS text[]))

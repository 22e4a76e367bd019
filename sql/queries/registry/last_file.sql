-- grain:  one row: the newest act that wrote rows of a kind, and how often this file was taken
-- params: kind, reference (kind and file, without the count)
SELECT
    (
        SELECT a.reference FROM act AS a INNER JOIN seal AS s ON s.act_id = a.act_id
        WHERE
            (a.kind = 'registry' AND starts_with(a.reference, CAST(:kind AS text) || ':'))
            OR (a.kind = 'verification' AND CAST(:kind AS text) = 'verifications')
        ORDER BY s.no DESC LIMIT 1
    ) AS newest,
    (
        SELECT count(*) FROM act AS a
        WHERE a.kind = 'registry' AND starts_with(a.reference, CAST(:reference AS text) || ':')
    ) AS taken

-- grain:  one row: the day on which the ledger's first act took effect, none on an empty ledger
-- params: none
SELECT a.effective_on FROM seal AS s INNER JOIN act AS a ON a.act_id = s.act_id ORDER BY s.no LIMIT 1

-- grain:  one row per company with a bank account on record: the newest one
-- params: usccs (text[])
SELECT DISTINCT ON (b.company_id)
    p.uscc, b.holder, b.bank, b.account_no, b.clearing_no
FROM bank_account AS b
INNER JOIN party AS p ON p.party_id = b.company_id
INNER JOIN seal AS s ON s.act_id = b.act_id
WHERE p.uscc = ANY(CAST(:usccs AS text[]))
ORDER BY b.company_id, s.no DESC, b.row_no DESC

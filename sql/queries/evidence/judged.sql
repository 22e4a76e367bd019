-- grain:  one row: how an invoice was judged
-- params: number
SELECT j.outcome, j.code FROM judged AS j WHERE j.number = :number

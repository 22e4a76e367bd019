-- grain:  one row: how many decisions there were on a red flag
-- params: flag, subject
SELECT count(*) AS decisions FROM flag_decision AS d WHERE d.flag = :flag AND d.subject = :subject

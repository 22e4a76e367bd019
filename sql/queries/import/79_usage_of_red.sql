-- grain:  one row per accepted red-letter of which usage waited that counts for no invoice: its act, how many lines
-- params: none (reads judged)
SELECT j.upload_id AS act_id, j.number, CAST(sum(h.lines) AS bigint) AS lines
FROM judged AS j
INNER JOIN held_usage AS h ON h.invoice_number = j.number
INNER JOIN upload AS u ON u.upload_id = h.upload_id AND u.provider_uscc IN ('', j.provider_uscc)
WHERE j.outcome = 'accepted' AND j.kind = 'red'
GROUP BY j.upload_id, j.number
ORDER BY j.number

-- grain:  inserts one row per accepted invoice and file of usage that waited for it
-- params: none (reads judged)
-- source: DESIGN 7; what another provider handed in about the invoice is left where it is. The act is that of the
--         upload which brings the invoice
INSERT INTO metering (company_id, invoice_id, upload_id, basis, replaces, lines, metered_yuan, act_id)
SELECT
    j.company_id, j.invoice_id, h.upload_id, h.basis, h.replaces, sum(h.lines), sum(h.metered_yuan),
    j.upload_id
FROM held_usage AS h
INNER JOIN judged AS j ON j.number = h.invoice_number AND j.outcome = 'accepted' AND j.kind = 'blue'
INNER JOIN upload AS u ON u.upload_id = h.upload_id AND u.provider_uscc IN ('', j.provider_uscc)
GROUP BY j.company_id, j.invoice_id, h.upload_id, h.basis, h.replaces, j.upload_id

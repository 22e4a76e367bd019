-- grain:  one row per proposal made by the cutoff that concerns a voucher or its company and was not decided by then
-- params: voucher_id, cutoff (seal number)
SELECT p.act_id, p.subject, p.maker, s.no AS act_no
FROM proposal AS p
INNER JOIN seal AS s ON s.act_id = p.act_id AND s.no <= CAST(:cutoff AS bigint)
INNER JOIN voucher AS v ON v.voucher_id = CAST(:voucher_id AS bigint)
INNER JOIN party AS c ON c.party_id = v.company_id
LEFT JOIN decision_at(CAST(:cutoff AS bigint)) AS k ON k.proposal_act_id = p.act_id
WHERE
    k.proposal_act_id IS NULL
    AND CASE p.kind
        WHEN 'state_move'
            THEN (CAST(p.payload AS jsonb) ->> 'noun', CAST(p.payload AS jsonb) ->> 'id') IN (
                ('voucher', CAST(v.voucher_id AS text)), ('company', CAST(v.company_id AS text))
            )
        WHEN 'merger' THEN c.uscc IN (CAST(p.payload AS jsonb) ->> 'absorbed', CAST(p.payload AS jsonb) ->> 'survivor')
        ELSE FALSE
    END
ORDER BY s.no

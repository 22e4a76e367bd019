-- grain:  temporary table doc, one row per policy document in force, of all programmes
-- params: policies (jsonb array; the spans are those in force, the end exclusive)
INSERT INTO doc (
    policy_id, policy_ids, programme_id, force, rate_bp, cap_fen, categories, prefixes, share_bp, deadline, overlap,
    joint_limit_bp, min_spend_fen, automatic, own, verify, usage_gap_fen
)
SELECT
    d.id, ARRAY[d.id], d.programme, daterange(d.from_on, d.until_on), d.rate_bp, d.annual_cap_fen,
    ARRAY(SELECT jsonb_array_elements_text(d.categories)),
    ARRAY(SELECT jsonb_array_elements_text(d.eligible_tax_codes)),
    d.related_party_share_bp, d.claim_deadline, d.overlap, d.joint_limit_bp, d.min_spend_fen,
    d.issuance = 'automatic', d.programme = a.programme_id, d.tax_verification = 'required',
    CASE WHEN d.usage_sum = 'hold' THEN d.usage_sum_tolerance_fen END
FROM jsonb_to_recordset(CAST(:policies AS jsonb)) AS d (
    id text, programme text, from_on date, until_on date, rate_bp bigint, annual_cap_fen bigint,
    categories jsonb, eligible_tax_codes jsonb, related_party_share_bp integer, claim_deadline text,
    overlap text, joint_limit_bp bigint, min_spend_fen bigint, issuance text,
    tax_verification text, usage_sum text, usage_sum_tolerance_fen bigint
)
CROSS JOIN asked AS a

-- grain:  the temporary tables that a draft's questions are put into
-- params: none
CREATE TEMPORARY TABLE asked (
    programme_id text COLLATE "C", cutoff bigint, through_on date, backfill boolean, codes text[],
    companies bigint[], news_only boolean
) ON COMMIT DROP;

CREATE TEMPORARY TABLE doc (
    doc_no integer GENERATED ALWAYS AS IDENTITY, policy_id text COLLATE "C", policy_ids text[],
    programme_id text COLLATE "C", force daterange, rate_bp bigint, cap_fen bigint, categories text[],
    prefixes text[], share_bp integer, deadline text, overlap text, joint_limit_bp bigint, min_spend_fen bigint,
    automatic boolean, own boolean, verify boolean, usage_gap_fen bigint
) ON COMMIT DROP

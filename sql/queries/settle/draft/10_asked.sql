-- grain:  temporary table asked, one row: what this draft was asked for
-- params: programme, cutoff (seal number), through_on (last day of the month), backfill, codes (text[], reason order),
--         companies (bigint[], null: all), news_only (whether companies without news are passed over)
INSERT INTO asked (programme_id, cutoff, through_on, backfill, codes, companies, news_only)
VALUES (
    :programme, CAST(:cutoff AS bigint), CAST(:through_on AS date), CAST(:backfill AS boolean),
    CAST(:codes AS text[]), CAST(:companies AS bigint[]), CAST(:news_only AS boolean)
)

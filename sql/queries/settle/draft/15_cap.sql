-- grain:  temporary table cap, one row per cap year that a document covers: the cap, the minimum and the year's
--         documents; deadline_on: the last day to hand in a claim of it
-- params: none (reads doc)
-- source: DESIGN 6, policy documents; a year's cap is that of the document in force on its last covered day, and
--         6.10, the claim deadline is the year's
CREATE TEMPORARY TABLE cap ON COMMIT DROP AS
SELECT
    y.year AS cap_year,
    (array_agg(d.cap_fen ORDER BY upper(d.force) DESC))[1] AS cap_fen,
    (array_agg(d.min_spend_fen ORDER BY upper(d.force) DESC))[1] AS min_spend_fen,
    (array_agg(d.automatic ORDER BY upper(d.force) DESC))[1] AS automatic,
    CAST((y.year + 1) || '-' || (array_agg(d.deadline ORDER BY upper(d.force) DESC))[1] AS date) AS deadline_on,
    array_agg(d.policy_id ORDER BY d.policy_id) AS policy_ids
FROM doc AS d
CROSS JOIN LATERAL generate_series(
    CAST(extract(YEAR FROM lower(d.force)) AS integer), CAST(extract(YEAR FROM upper(d.force) - 1) AS integer)
) AS y (year)
WHERE d.own
GROUP BY y.year

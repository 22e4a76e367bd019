-- grain:  temporary table late, one row per day on which bills that do not count whole were handed in: days whose
--         year is over
-- params: none (reads doc, unsliced)
-- source: DESIGN 6.10; a cap year is late when received after its claim deadline in the following year
CREATE TEMPORARY TABLE late ON COMMIT DROP AS
WITH handed_in AS (
    SELECT DISTINCT b.received_on FROM unsliced AS b
),

first_open_year AS (
    SELECT
        h.received_on, d.force,
        CAST(extract(YEAR FROM h.received_on) AS integer)
        - CASE WHEN to_char(h.received_on, 'MM-DD') <= d.deadline THEN 1 ELSE 0 END AS year
    FROM handed_in AS h
    INNER JOIN doc AS d ON d.own
)

SELECT f.received_on, range_agg(f.force * daterange(NULL, make_date(f.year, 1, 1))) AS days
FROM first_open_year AS f
GROUP BY f.received_on

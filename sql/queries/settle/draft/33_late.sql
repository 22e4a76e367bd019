-- grain:  temporary table late, one row per day on which bills that do not count whole were handed in: days whose
--         year is over
-- params: none (reads cap, unsliced)
-- source: DESIGN 6.10; a cap year is late when received after its claim deadline in the following year
CREATE TEMPORARY TABLE late ON COMMIT DROP AS
WITH handed_in AS (
    SELECT DISTINCT b.received_on FROM unsliced AS b
)

SELECT
    h.received_on,
    coalesce(
        range_agg(daterange(make_date(k.cap_year, 1, 1), make_date(k.cap_year + 1, 1, 1)))
        FILTER (WHERE h.received_on > k.deadline_on), '{}'
    ) AS days
FROM handed_in AS h
CROSS JOIN cap AS k
GROUP BY h.received_on

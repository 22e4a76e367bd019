-- grain:  temporary table used, one row per invoice number, day and unit of a file of usage
-- params: none (reads usage_stage)
-- What covers several days is spread over them evenly, in whole parts, so that the days add up to it exactly; its lines
-- count on the first of them.
CREATE TEMPORARY TABLE used ON COMMIT DROP AS
WITH span AS (
    SELECT
        s.number, s.first_day, s.last_day - s.first_day + 1 AS days, s.unit, sum(s.lines) AS lines,
        sum(s.quantity) AS quantity, sum(s.amount) AS amount
    FROM usage_stage AS s
    GROUP BY s.number, s.first_day, s.last_day, s.unit
),

day AS (
    SELECT
        p.number, p.first_day + x.place AS day, p.unit,
        CASE WHEN x.place = 0 THEN p.lines ELSE 0 END AS lines,
        div(p.quantity * (x.place + 1), p.days) - div(p.quantity * x.place, p.days) AS quantity,
        div(p.amount * (x.place + 1), p.days) - div(p.amount * x.place, p.days) AS amount
    FROM span AS p
    CROSS JOIN LATERAL generate_series(0, p.days - 1) AS x (place)
)

SELECT
    d.number, date '1970-01-01' + d.day AS used_on, d.unit, CAST(sum(d.lines) AS bigint) AS lines,
    trim_scale(sum(d.quantity) * 0.000000000001) AS quantity,
    trim_scale(sum(d.amount) * 0.000000000001) AS metered_yuan
FROM day AS d
GROUP BY d.number, d.day, d.unit

-- grain:  temporary table pair, one row per company and provider of bills that do not count whole: which days count
-- params: none (reads asked, doc, unsliced)
-- source: DESIGN 6.2; a day counts when a document is in force and the company is qualified for it,
--         the provider is listed and both are not related
CREATE TEMPORARY TABLE pair ON COMMIT DROP AS
WITH met AS (
    SELECT DISTINCT b.company_id, b.provider_id FROM unsliced AS b
),

qualified AS (
    SELECT q.company_id, range_agg(q.span * d.force) AS days
    FROM qualification_at((SELECT a.cutoff FROM asked AS a)) AS q
    INNER JOIN doc AS d ON d.own AND q.category = ANY(d.categories)
    WHERE NOT isempty(q.span * d.force)
    GROUP BY q.company_id
),

listed AS (
    SELECT l.provider_id, range_agg(l.span) AS days
    FROM listing_at((SELECT a.cutoff FROM asked AS a)) AS l
    WHERE NOT isempty(l.span)
    GROUP BY l.provider_id
),

related AS (
    SELECT r.company_id, r.provider_id, range_agg(r.span * d.force) AS days
    FROM relation_at((SELECT a.cutoff FROM asked AS a)) AS r
    INNER JOIN doc AS d ON d.own AND (r.kind = 'common_control' OR r.share_bp >= d.share_bp)
    WHERE NOT isempty(r.span * d.force)
    GROUP BY r.company_id, r.provider_id
),

known AS (
    SELECT
        m.company_id, m.provider_id,
        coalesce(q.days, '{}') AS qualified,
        coalesce(l.days, '{}') AS listed,
        coalesce(r.days, '{}') AS related
    FROM met AS m
    LEFT JOIN qualified AS q ON q.company_id = m.company_id
    LEFT JOIN listed AS l ON l.provider_id = m.provider_id
    LEFT JOIN related AS r ON r.company_id = m.company_id AND r.provider_id = m.provider_id
)

SELECT k.company_id, k.provider_id, k.qualified, k.listed, k.related, k.qualified * k.listed - k.related AS days
FROM known AS k

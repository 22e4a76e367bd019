-- check:  whoever approved or rejected is a checker who neither made nor drafted it; only the maker withdrew
-- title:  复核人与经办人不同
-- grain:  one row per decision that went wrong; no rows means all is well
-- params: none
-- source: DESIGN 5, proposal
SELECT
    s.no AS act_no, p.kind || ' ' || p.subject AS subject,
    CASE
        WHEN a.actor <> d.decided_by THEN format('决定记在“%s”名下，办理人却是“%s”。', d.decided_by, a.actor)
        WHEN d.verdict = 'withdrawn' THEN format('由“%s”撤回，提交人却是“%s”。', d.decided_by, p.maker)
        WHEN u.role <> 'checker' THEN format('“%s”不是复核人员（%s），却作出了决定。', d.decided_by, u.role)
        ELSE format('“%s”既起草或提交，又作出决定。', d.decided_by)
    END AS detail
FROM decision AS d
INNER JOIN proposal AS p ON p.act_id = d.proposal_act_id
INNER JOIN act AS a ON a.act_id = d.act_id
INNER JOIN app_user AS u ON u.name = d.decided_by
LEFT JOIN seal AS s ON s.act_id = d.act_id
WHERE
    a.actor <> d.decided_by
    OR (d.verdict = 'withdrawn' AND d.decided_by <> p.maker)
    OR (d.verdict <> 'withdrawn' AND (u.role <> 'checker' OR d.decided_by IN (p.maker, p.drafted_by)))
ORDER BY s.no

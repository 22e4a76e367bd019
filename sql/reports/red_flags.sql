-- report: 疑点清单
-- grain:  one row per red flag of the period, with the last decision on it
-- params: cutoff (seal number), found (jsonb array of what sql/flags gives)
-- gathers: flags
-- source: one query per flag in sql/flags
-- basis:  金额不含税；按受理日归入本期；疑点只是线索，须由人核实
-- note:   结论为最近一次登记的处理；依据在那以后变化的，注明“依据已变”。
-- columns:
--   title      | 疑点       | text  | 20
--   about      | 对象       | text  | 26
--   evidence   | 依据       | text  | 58
--   amount_fen | 涉及金额   | money | 15
--   verdict    | 结论       | text  | 12
--   why        | 处理理由   | text  | 20
--   subject    | 对象编号   | id    | 32
--   flag       | 疑点代码   | id    | 22
WITH decided AS (
    SELECT DISTINCT ON (d.flag, d.subject) d.flag, d.subject, d.verdict, d.why, d.evidence_sha256
    FROM flag_decision AS d
    INNER JOIN seal AS s ON s.act_id = d.act_id AND s.no <= CAST(:cutoff AS bigint)
    ORDER BY d.flag, d.subject, s.no DESC
)

SELECT
    f.title, f.about, f.evidence, f.amount_fen,
    CASE d.verdict WHEN 'cleared' THEN '排除' WHEN 'confirmed' THEN '属实' WHEN 'watched' THEN '继续关注' ELSE '待处理' END
    || CASE
        WHEN d.evidence_sha256 <> sha256(convert_to(CAST(to_jsonb(f.evidence) AS text), 'UTF8')) THEN '（依据已变）'
        ELSE ''
    END AS verdict,
    coalesce(d.why, '') AS why, f.subject, f.flag
FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS f (
    flag text, title text, subject text, about text, evidence text, amount_fen bigint, place bigint
)
LEFT JOIN decided AS d ON d.flag = f.flag AND d.subject = f.subject
ORDER BY f.place

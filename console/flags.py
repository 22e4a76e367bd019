"""`cvl flag`: red flags of a period, and what a person decides of one."""

from sqlalchemy import Connection, Engine

from console import chinese
from console.answer import Answer, table, yuan
from console.chinese import OneOf, argument, option
from console.door import Verb
from reconciliation import flags, reports
from voucher import access, acts
from voucher.database import run
from voucher.money import format_yuan

SHOWN = 40


def _params(db: Connection, period: str, as_of: str | None = None) -> dict[str, object]:
    span = reports.period_span(period)
    return {"period_from": span.start, "period_until": span.end, "cutoff": acts.cutoff(db, as_of)}


def show(engine: Engine, period: str, as_of: str | None) -> Answer:
    """List the red flags of a period."""
    found = run(engine, lambda db: flags.find(db, "flags", _params(db, period, as_of)), "cvl_auditor")
    data = {
        "period": period,
        "flags": [
            {
                "flag": f.name, "title": f.title, "subject": f.subject, "about": f.about, "evidence": f.evidence,
                "amount": format_yuan(f.amount_fen),
            }
            for f in found
        ],
    }  # fmt: skip
    if not found:
        return Answer(data, [f"{period}没有发现疑点。"])
    rows = [(f.name, f.subject, f.about, yuan(f.amount_fen), f"{f.title}：{f.evidence}") for f in found[:SHOWN]]
    text = table(["疑点", "对象编号", "对象", ">涉及金额", "依据"], rows)
    if len(found) > SHOWN:
        text.append(f"……另有{len(found) - SHOWN}条，见 cvl report red_flags --period {period}")
    how = f"处理：cvl flag decide 疑点 对象编号 {'|'.join(flags.VERDICTS)} --period {period} --why 理由"
    return Answer(data, [*text, "", how])


def decide(engine: Engine, as_user: str | None, name: str, subject: str, verdict: str, period: str, why: str) -> Answer:
    """Record a decision on a red flag."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "flag decide")
        act = flags.decide(db, user, _params(db, period), name, subject, verdict, why)
        data = {"act": str(act), "flag": name, "subject": subject, "verdict": verdict}
        return Answer(data, [f"已登记：{name} {subject}，{flags.VERDICTS[verdict]}。"])

    return run(engine, work)


_PERIOD = option("--period", help="期间，例如 2026-08 或 2026", shown="年-月或年", required=True)
VERBS = (
    Verb("flag list", show, "列出一个期间的疑点和依据。疑点只是线索，须由人核实。", [_PERIOD, chinese.as_of()]),
    Verb(
        "flag decide",
        decide,
        "登记对一条疑点的处理结论：cleared 排除、confirmed 属实、watched 继续关注。",
        [
            argument("name", "疑点"),
            argument("subject", "对象编号"),
            argument("verdict", "结论", OneOf("结论", tuple(flags.VERDICTS))),
            _PERIOD,
            option("--why", help="理由", required=True, shown="理由"),
        ],
        acting=True,
    ),
)

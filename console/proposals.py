"""`cvl proposals`, `approve`, `reject`, `withdraw`: what needs a second person."""

from typing import Any

from sqlalchemy import Connection, Engine

from console import chinese
from console.answer import Answer, pairs, table, yuan
from console.chinese import NUMBER, argument, option
from console.door import Verb
from reconciliation import contents, decisions
from voucher import access, acts, approval
from voucher.database import run

SHOWN = 30


def show(engine: Engine, as_of: str | None, act: int | None = None) -> Answer:
    """List what waits for a decision, or waited for one then; of one, show all it holds."""

    def work(db: Connection) -> list[approval.Proposal]:
        return approval.pending(db, acts.cutoff(db, as_of)) if act is None else [approval.find(db, act)]

    waiting = run(engine, work, "cvl_auditor")
    data = {
        "proposals": [
            {
                "act": str(p.act_id), "kind": p.kind, "subject": p.subject, "state": p.state,
                "maker": p.maker, "digest": p.digest, "payload": approval.shown(p),
            }
            for p in waiting
        ]
    }  # fmt: skip
    if not waiting:
        return Answer(data, ["没有待复核的事项。"])
    if act is not None:
        return Answer(data, _contents(waiting[0]))
    rows = [(str(p.act_id), approval.WORDS.get(p.kind, p.kind), p.maker, p.digest[:16], p.subject) for p in waiting]
    text = table(["事项号", "种类", "提交人", "摘要", "内容"], rows)
    then = "看内容：cvl proposals 事项号；批准：cvl approve 事项号 --as 复核人员（结算批次用 cvl settle approve 批次）"
    return Answer(data, [*text, "", then])


def _contents(found: approval.Proposal) -> list[str]:
    """Lay out what one proposal holds, as it was shown to its maker."""
    single, tables = contents.laid_out(found)
    text = pairs(
        [
            ("事项号", str(found.act_id)), ("种类", approval.WORDS.get(found.kind, found.kind)),
            ("内容", found.subject), ("提交人", found.maker), ("状态", contents.STATES[found.state]),
            ("摘要", found.digest), *((name, _told(key, value)) for name, key, value in single),
        ]
    )  # fmt: skip
    for key, rows in tables.items():
        headers = [(">" if name.endswith("_fen") else "") + contents.called(name) for name in rows[0]]
        shown = [[_told(name, row[name]) for name in rows[0]] for row in rows[:SHOWN]]
        text += ["", f"{contents.called(key)}：{len(rows)}项", *table(headers, shown)]
        text += [f"……另有{len(rows) - SHOWN}项，见 --json"] if len(rows) > SHOWN else []
    return text


def _told(key: str, value: Any) -> str:
    """Write a part of a payload; one in fen as yuan."""
    if isinstance(value, bool) or value is None:
        return {True: "是", False: "否", None: ""}[value]
    return yuan(value) if key.endswith("_fen") else str(value)


_DONE = {
    "approved": ("approve", "已批准"),
    "rejected": ("reject", "已退回"),
    "withdrawn": ("withdraw", "已撤回"),
}


def _decide(
    engine: Engine, as_user: str | None, act: int, verdict: str, *, why: str = "", digest: str | None = None
) -> Answer:
    """Decide a proposal of any kind."""
    right, said = _DONE[verdict]

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, right)
        done = decisions.decide(db, act, verdict, user, why=why, digest=digest)
        subject = approval.find(db, act).subject
        return Answer(done, [f"{said}事项 {act}：{subject}。"])

    return run(engine, work)


def approve(engine: Engine, as_user: str | None, act: int, digest: str | None) -> Answer:
    """Approve a proposal."""
    return _decide(engine, as_user, act, "approved", digest=digest)


def reject(engine: Engine, as_user: str | None, act: int, why: str) -> Answer:
    """Send a proposal back."""
    return _decide(engine, as_user, act, "rejected", why=why)


def withdraw(engine: Engine, as_user: str | None, act: int) -> Answer:
    """Take back one's own proposal."""
    return _decide(engine, as_user, act, "withdrawn")


_ACT = argument("act", "事项号", NUMBER)
VERBS = (
    Verb(
        "proposals",
        show,
        "列出待复核的事项；写明事项号则显示它的全部内容。",
        [argument("act", "事项号", NUMBER, required=False), chinese.as_of()],
    ),
    Verb(
        "approve",
        approve,
        "批准一个待复核的事项。须由提交人以外的复核人员办理。",
        [_ACT, option("--digest", help="看到的内容摘要（至少前8位），与事项不符则不批准", shown="摘要")],
        acting=True,
    ),
    Verb(
        "reject",
        reject,
        "退回一个待复核的事项，并写明理由。",
        [_ACT, option("--why", help="退回的理由", required=True, shown="理由")],
        acting=True,
    ),
    Verb("withdraw", withdraw, "撤回自己提交、尚未复核的事项。", [_ACT], acting=True),
)

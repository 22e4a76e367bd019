"""`cvl proposals`, `approve`, `reject`, `withdraw`: what needs a second person."""

from sqlalchemy import Connection, Engine

from console import chinese
from console.answer import Answer, table
from console.chinese import NUMBER, argument, option
from console.door import Verb
from reconciliation import decisions
from voucher import access, acts, approval
from voucher.database import run


def show(engine: Engine, as_of: str | None) -> Answer:
    """List what waits for a decision, or waited for one then."""
    waiting = run(engine, lambda db: approval.pending(db, acts.cutoff(db, as_of)), "cvl_auditor")
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
    rows = [(str(p.act_id), approval.WORDS.get(p.kind, p.kind), p.maker, p.digest[:16], p.subject) for p in waiting]
    text = table(["事项号", "种类", "提交人", "摘要", "内容"], rows)
    return Answer(data, [*text, "", "批准：cvl approve 事项号 --as 复核人员（结算批次用 cvl settle approve 批次）"])


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
    Verb("proposals", show, "列出待复核的事项。", [chinese.as_of()]),
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

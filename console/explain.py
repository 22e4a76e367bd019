"""`cvl explain`: the 计算底稿 of one invoice, every number with its inputs and its clause."""

from sqlalchemy import Connection, Engine

from console.answer import Answer
from console.chinese import argument, option
from console.door import Verb
from settlement import explain as explaining
from voucher import acts
from voucher.database import run


def explain(engine: Engine, number: str, as_of: str | None) -> Answer:
    """Explain one invoice as known now, or at an earlier moment."""

    def work(db: Connection) -> Answer:
        found = explaining.explain(db, number, acts.cutoff(db, as_of))
        return Answer(explaining.as_json(found), explaining.as_text(found).splitlines())

    return run(engine, work, "cvl_auditor")


VERBS = (
    Verb(
        "explain",
        explain,
        "显示一张发票的计算底稿：每个数字、怎样算出、依据哪一条。",
        [
            argument("number", "发票号码"),
            option("--as-of", help="截至的日期或时间，例如 2026-08-31", shown="时间"),
        ],
    ),
)

"""`cvl company`: freeze and unfreeze a company, merge one into another."""

from datetime import date

from sqlalchemy import Connection, Engine

from console.answer import Answer
from console.chinese import DAY, argument, option
from console.door import Verb
from console.proposed import proposed
from settlement import merger
from voucher import access, approval, life, uscc
from voucher.database import run

WHY = option("--why", help="理由", required=True, shown="理由")


def _move(engine: Engine, as_user: str | None, company: str, why: str, verb: str, state: str) -> Answer:
    """Propose another standing of a company."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, f"company {verb}")
        return proposed(approval.find(db, life.propose_company(db, user, uscc.normal(company), state, why)))

    return run(engine, work)


def freeze(engine: Engine, as_user: str | None, company: str, why: str) -> Answer:
    """Propose to freeze a company."""
    return _move(engine, as_user, company, why, "freeze", "frozen")


def unfreeze(engine: Engine, as_user: str | None, company: str, why: str) -> Answer:
    """Propose to unfreeze a company."""
    return _move(engine, as_user, company, why, "unfreeze", "active")


def merge(engine: Engine, as_user: str | None, company: str, into: str, on: date, why: str) -> Answer:
    """Propose to record a merger."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "company merge")
        act = merger.propose(db, user, uscc.normal(company), uscc.normal(into), on, why)
        return proposed(approval.find(db, act))

    return run(engine, work)


_COMPANY = argument("company", "信用代码")
VERBS = (
    Verb(
        "company freeze",
        freeze,
        "冻结一家企业：其发票暂缓结算、暂缓拨付，追回照常。由复核人员批准后生效。",
        [_COMPANY, WHY],
        acting=True,
    ),
    Verb("company unfreeze", unfreeze, "解冻一家企业。由复核人员批准后生效。", [_COMPANY, WHY], acting=True),
    Verb(
        "company merge",
        merge,
        "登记企业合并。由复核人员批准后生效。\n"
        "自合并日所在年度起，双方合用存续企业的一份年度上限，被合并企业当年已用的额度从存续企业的券中扣除，其未用额度失效。被合并企业的发票须先结算。",
        [
            _COMPANY,
            option("--into", help="存续企业的统一社会信用代码", required=True, shown="信用代码"),
            option("--on", kind=DAY, help="合并日", required=True),
            WHY,
        ],
        acting=True,
    ),
)

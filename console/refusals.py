"""`cvl refuse`: refuse an invoice's claims after an objection or a finding, or lift that."""

from sqlalchemy import Connection, Engine

from console.answer import Answer
from console.chinese import YEAR, argument, flag, option
from console.door import Verb
from console.proposed import proposed
from settlement import documents, refusal
from voucher import access, acts, approval
from voucher.database import run


def refuse(
    engine: Engine,
    as_user: str | None,
    number: str,
    why: str | None,
    year: int | None,
    *,
    lift: bool,
    programme: str | None,
) -> Answer:
    """Propose a refusal or its lifting, which needs no reason of its own."""
    why = why or ("经复核解除" if lift else "")

    def work(db: Connection) -> approval.Proposal:
        user = access.require(db, as_user, "refuse")
        chosen = documents.only_programme(documents.recorded(db, acts.cutoff(db)), programme)
        return approval.find(db, refusal.propose(db, user, chosen, number, year, why=why, lift=lift))

    return proposed(run(engine, work), invoice_number=number, cap_year=year, refused=not lift)


VERBS = (
    Verb(
        "refuse",
        refuse,
        "提交一张发票不予兑付（异议成立或查实有误之后），由复核人员批准后生效：\n"
        "未结算的按零结算，已兑付的在下一批次追回。加 --lift 提交解除。",
        [
            argument("number", "发票号码"),
            option("--why", help="理由；解除时可不写", shown="理由"),
            option("--year", kind=YEAR, help="只涉及哪个年度；不写则为各年度"),
            flag("--lift", help="解除不予兑付"),
            option("--programme", help="事项；只有一个事项时不用写", shown="事项"),
        ],
        acting=True,
    ),
)

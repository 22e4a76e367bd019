"""`cvl recovery`: money that companies have to pay back: who owes what, who was told, what came back."""

from datetime import date

from sqlalchemy import Connection, Engine

from console import chinese
from console.answer import Answer, table, yuan
from console.chinese import DAY, YUAN, argument, option
from console.door import Verb
from console.proposed import proposed
from settlement import recovery
from voucher import access, acts, approval
from voucher.database import run
from voucher.money import format_yuan


def show(engine: Engine, as_of: str | None) -> Answer:
    """List what is or was to be paid back, claim by claim."""
    rows = run(engine, lambda db: recovery.recoverables(db, acts.cutoff(db, as_of)), "cvl_auditor")
    data = {
        "as_of": as_of,
        "recoverables": [
            {
                "invoice_number": row["invoice_number"], "company": row["company"], "debtor": row["debtor"],
                "programme": row["programme_id"],
                "cap_year": row["cap_year"], "recoverable": format_yuan(row["recoverable_fen"]),
                "returned": format_yuan(row["returned_fen"]), "recovered_on": row["recovered_on"].isoformat(),
                "told_on": None if row["told_on"] is None else row["told_on"].isoformat(),
            }
            for row in rows
        ],
    }  # fmt: skip
    if not rows:
        return Answer(data, ["没有需要企业退回的款项。"])
    shown = [
        (
            row["invoice_number"],
            row["company"] + (f"（由{row['debtor']}承担）" if row["debtor"] != row["company"] else ""),
            str(row["cap_year"]), yuan(row["recoverable_fen"]),
            yuan(row["returned_fen"]), row["recovered_on"].isoformat(),
            "（尚未告知）" if row["told_on"] is None else row["told_on"].isoformat(),
        )
        for row in rows
    ]  # fmt: skip
    text = table(["发票号码", "企业", "年度", ">待收回", ">已收回", "追回批准日", "告知企业日"], shown)
    return Answer(
        data,
        [*text, "", "告知企业后登记：cvl recovery tell 发票号码 --on 日期 --ref 文号 --as 经办人员",
         "款项到账后登记：cvl recovery return 发票号码 --amount 金额 --on 日期 --ref 流水号 --as 经办人员"],
    )  # fmt: skip


def tell(engine: Engine, as_user: str | None, number: str, on: date, ref: str) -> Answer:
    """Record that a company was told."""

    def work(db: Connection) -> int:
        return recovery.tell(db, access.require(db, as_user, "recovery tell"), number, on, ref)

    act = run(engine, work)
    data = {"act": str(act), "invoice_number": number, "told_on": on.isoformat(), "reference": ref}
    return Answer(data, [f"已登记：{on}就发票 {number} 的追回款告知企业（{ref}）。"])


def come_back(engine: Engine, as_user: str | None, number: str, amount: int, on: date, ref: str) -> Answer:
    """Propose that money came back."""

    def work(db: Connection) -> approval.Proposal:
        user = access.require(db, as_user, "recovery return")
        return approval.find(db, recovery.propose_return(db, user, number, amount, on, ref))

    return proposed(run(engine, work), invoice_number=number, amount=format_yuan(amount), reference=ref)


_NUMBER = argument("number", "发票号码")
VERBS = (
    Verb(
        "recovery list",
        show,
        "列出须由企业退回的款项：待收回、已收回、何日告知企业。",
        [chinese.as_of()],
    ),
    Verb(
        "recovery tell",
        tell,
        "登记何日就某张发票的追回款告知企业。",
        [
            _NUMBER,
            option("--on", kind=DAY, help="告知企业的日期", required=True),
            option("--ref", help="告知文书的文号", required=True, shown="文号"),
        ],
        acting=True,
    ),
    Verb(
        "recovery return",
        come_back,
        "提交企业退回款项的到账，由复核人员批准后记账。\n所属财政年度未关账的回到指标，已关账的记为缴回。",
        [
            _NUMBER,
            option("--amount", kind=YUAN, help="到账金额（元）", required=True),
            option("--on", kind=DAY, help="到账日期", required=True),
            option("--ref", help="银行流水号", required=True, shown="流水号"),
        ],
        acting=True,
    ),
)

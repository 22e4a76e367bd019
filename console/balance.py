"""`cvl balance`: the accounts, now or at any moment."""

from typing import Any

from sqlalchemy import Connection, Engine

from console.answer import Answer, table, yuan
from console.chinese import argument, option
from console.door import Verb
from voucher import acts, ledger
from voucher.database import run
from voucher.money import format_yuan


def show(engine: Engine, account: str | None, as_of: str | None) -> Answer:
    """List accounts with their balance, filtered by the beginning of their names."""

    def work(db: Connection) -> tuple[int, list[dict[str, Any]]]:
        cutoff = acts.cutoff(db, as_of)
        return cutoff, ledger.balances(db, cutoff, account or "")

    no, rows = run(engine, work, "cvl_auditor")
    data = {
        "as_of": as_of, "act_no": str(no),
        "accounts": [{"account": row["account"], "balance": format_yuan(row["balance_fen"])} for row in rows],
    }  # fmt: skip
    when = f"截至 {as_of}（账本第 {no} 号）" if as_of else f"账本第 {no} 号"
    if not rows:
        return Answer(data, [f"{when}：没有发生过金额的账户" + (f"以“{account}”开头。" if account else "。")])
    shown = [(row["account"], yuan(row["balance_fen"])) for row in rows]
    return Answer(data, [when, *table(["账户", ">余额（元）"], shown)])


VERBS = (
    Verb(
        "balance",
        show,
        "查看账户余额。\n账户名可以只写开头，例如 money:appropriation 或 limit:voucher；不写则列出全部。",
        [
            argument("account", "账户名", required=False),
            option("--as-of", help="截至的日期或时间，例如 2026-08-31 或 2026-08-31T12:00:00", shown="时间"),
        ],
    ),
)

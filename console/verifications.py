"""`cvl invoice verify`: record by hand what the tax platform said of an invoice."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine

from console.answer import Answer
from console.chinese import DAY, OneOf, argument, option
from console.door import Verb
from importers import verification
from importers.register_kinds import RESULTS
from voucher import access
from voucher.database import run
from voucher.days import business_day

WORDS = {code: word for word, code in RESULTS}


def record(engine: Engine, as_user: str | None, number: str, result: str, on: date | None, by: str | None) -> Answer:
    """Record one result."""
    day = on or business_day()

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "invoice verify")
        fresh = verification.record(db, user, number, dict(RESULTS)[result], day, by or user.name)
        data = {"number": number, "result": result, "checked_on": day, "state": "recorded" if fresh else "unchanged"}
        text = [f"发票 {number} 的查验结果{'已登记' if fresh else '此前已登记'}：{result}（{day}）。"]
        last = verification.last(db, number)
        if last is not None and last["checked_on"] > day:
            text.append(f"以查验日期最晚的为准：{shown(last)}。")
        return Answer(data, text)

    return run(engine, work)


def shown(last: Mapping[str, Any] | None) -> str:
    """Write the last result for people."""
    return "尚未查验" if last is None else f"{WORDS[last['result']]}，{last['checked_on']}，{last['checked_by']}"


VERBS = (
    Verb(
        "invoice verify",
        record,
        "登记一张发票在税务平台的查验结果。成批登记用 cvl registry import（发票号码、查验日期、查验结果、查验人）。\n"
        "税务签章只作记录，本系统不验证签章；查验结果以登记为准。",
        [
            argument("number", "发票号码"),
            option("--result", kind=OneOf("结果", [word for word, _ in RESULTS]), help="查验结果", required=True),
            option("--on", kind=DAY, help="查验日期，默认今天"),
            option("--by", help="查验人，默认办理人", shown="姓名"),
        ],
        acting=True,
    ),
)

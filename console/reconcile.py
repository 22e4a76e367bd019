"""`cvl reconcile` and `cvl report`: whether the books agree, and the reports."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from console import chinese, within
from console.answer import Answer, table
from console.chinese import FILE, MONTH, OneOf, argument, flag, option
from console.door import Verb
from reconciliation import invariants, reports
from reconciliation.bank import USUAL, Within
from reconciliation.document import Difference, Report
from voucher import access, acts
from voucher.database import reading, run
from voucher.errors import Misused, Refused
from voucher.files import written

SHOWN = 20
MONTHLY = "reconciliation"
"""The report whose own differences `cvl reconcile --period` looks at."""


def reconcile(
    engine: Engine, period: str | None, tolerance: int = USUAL.tolerance_fen, days: int = USUAL.days
) -> Answer:
    """Run every check; with a period also hold its reconciliation report against the books."""
    with reading(engine) as books:
        cutoff = run(books, acts.cutoff, "cvl_auditor")
        failures = invariants.check_at_once(books, Within(days, tolerance))
        found = [Difference(f.title, f.act_no, f.subject, f.detail) for f in failures]
        if period is not None:
            held = run(books, lambda db: reports.run(db, MONTHLY, period, cutoff, "", checked=failures), "cvl_auditor")
            found += [each for each in held.differences if each not in found]
    first = invariants.first_wrong(failures)
    checks = invariants.titles()
    data = {
        "ok": not found, "act_no": str(cutoff), "period": period, "checks": len(checks),
        "first_wrong_act": None if first is None else str(first),
        "differences": [_difference(each) for each in found],
    }  # fmt: skip
    if not found:
        text = [f"核对一致：{len(checks)}项检查全部通过，截至账本第 {cutoff} 号。"]
        if period:
            text.append(f"{period}的月度对账表与账本一致。")
        return Answer(data, text)
    text = [f"核对不一致：有{len(found)}处差异。请停止结算与拨付，保留现场，并联系系统管理员。"]
    if first is not None:
        text.append(f"最早出错的是账本第 {first} 号。")
    rows = [(each.title, "" if each.act_no is None else str(each.act_no), each.subject, each.detail) for each in found]
    text += table(["检查", ">账本号", "对象", "说明"], rows[:SHOWN])
    if len(rows) > SHOWN:
        text.append(f"……另有{len(rows) - SHOWN}处，全部内容见 cvl reconcile --json")
    return Answer(data, text, 5)


def _difference(each: Difference) -> dict[str, Any]:
    """Write a difference as JSON."""
    return {
        "title": each.title, "act_no": None if each.act_no is None else str(each.act_no),
        "subject": each.subject, "detail": each.detail,
    }  # fmt: skip


def report(
    engine: Engine, as_user: str | None, name: str | None, period: str | None, format: str, out: Path | None,
    tolerance: int = USUAL.tolerance_fen, days: int = USUAL.days, as_of: str | None = None, *, list: bool,
) -> Answer:  # fmt: skip
    """Make a report of a period and write it to a file."""
    if list:
        return _names()
    if name is None or period is None:
        raise Misused(
            "which_report",
            "请写明报表名称和期间，例如 cvl report reconciliation --period 2026-08；清单见 cvl report --list。",
        )
    with reading(engine) as books:
        made = run(books, lambda db: make(db, as_user, name, period, Within(days, tolerance), as_of), "cvl_auditor")
    target = out or Path(f"{name}-{period}.{format}")
    content = write(made, format, target)
    data = {
        "report": name, "period": period, "format": format, "out": str(target), "rows": made.rows,
        "act_no": str(made.cutoff), "sha256": hashlib.sha256(content).hexdigest(),
        "differences": [_difference(each) for each in made.differences],
    }  # fmt: skip
    text = [f"{made.layout.title} {period}：{made.rows}行，截至账本第 {made.cutoff} 号，已写入 {target}"]
    if not made.differences:
        return Answer(data, [*text, f"{made.agreed}。"])
    return Answer(data, [*text, f"有{len(made.differences)}处差异，见“差异”表；请运行 cvl reconcile 查明。"], 5)


def make(
    db: Connection, as_user: str | None, name: str, period: str, reach: Within = USUAL, as_of: str | None = None
) -> Report:
    """Make a report as of a moment, else of the last seal; its face names who asked, if anybody said so."""
    who = as_user or os.environ.get("CVL_USER") or ""
    if who and access.find(db, who) is None:
        raise Refused("unknown_user", f"没有名为“{who}”的用户。请核对用户名。")
    return reports.run(db, name, period, acts.cutoff(db, as_of), who or "（未署名）", within=reach)


def write(made: Report, format: str, target: Path) -> bytes:
    """Write a report to a file. Returns its bytes. Raises Refused when there is no writing there."""
    buffer = io.BytesIO()
    with written(target) as file:
        reports.FORMATS[format](made, buffer)
        file.write(buffer.getvalue())
    return buffer.getvalue()


def _names() -> Answer:
    """List the reports."""
    found = reports.names()
    data = {"reports": [{"name": name, "title": title} for name, title in found.items()]}
    return Answer(data, table(["名称", "报表"], found.items()))


VERBS = (
    Verb(
        "reconcile",
        reconcile,
        "核对全部账目：逐项检查账本，并重新计算封存摘要。\n一致时退出码为 0，不一致时为 5，并指出最早出错的一号。",
        [
            option("--period", kind=MONTH, help="同时核对该月的对账表"),
            *within.OPTIONS,
        ],
    ),
    Verb(
        "report",
        report,
        "出报表，写成文件。\n月度对账表：cvl report reconciliation --period 2026-08。报表清单：cvl report --list。",
        [
            argument("name", "报表", required=False),
            option("--period", help="期间，例如 2026-08 或 2026", shown="年-月或年"),
            option("--format", kind=OneOf("格式", tuple(reports.FORMATS)), help="格式，默认 xlsx", default="xlsx"),
            option("--out", kind=FILE, help="写到哪个文件；不写则写在当前目录"),
            flag("--list", help="列出全部报表"),
            *within.OPTIONS,
            chinese.as_of(),
            option("--as", "as_user", help="编制人，印在表头；不写则取环境变量 CVL_USER", shown="用户名"),
        ],
    ),
)

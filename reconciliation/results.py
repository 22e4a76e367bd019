"""A bank's result file: each payment paid or returned; the same file, or the same news, twice changes nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from importers.originals import keep
from importers.receive import Received, receive
from reconciliation import bank_files
from reconciliation.bank_files import Values
from reconciliation.bank_profile import Profile
from voucher import acts, budget, ledger
from voucher.access import User
from voucher.acts import canonical
from voucher.database import expect_many, one, query, run, run_file
from voucher.days import business_day
from voucher.problem import Problem

_REFERENCE = re.compile(r"CQV-\d+-\d+", re.ASCII)
SENTENCES: Mapping[str, str] = {
    "unknown_payment": "没有这个付款编号。请核对这一行是否属于本系统导出的付款文件。",
    "payment_twice": "同一付款编号在文件里出现了不止一次。请与银行核实后只保留一行。",
    "amount_differs": "金额与付款不一致。请与银行核实后改正这一行，重新导入。",
    "not_in_transit": "这笔付款尚未批准或未获批准，不应有付款结果。请核实付款文件的来源。",
    "told_otherwise": "这笔付款早已登记同样的结果，但流水号或日期不同。请与银行核实；台账不改，以先登记的为准。",
    "returned_before": "这笔付款早已登记为退回，不能再登记。请与银行核实；重新拨付用新的付款编号。",
    "day_impossible": "日期早于批准拨付之日或晚于今天。请核对日期。",
    "bad_state": "处理结果无法识别。银行仍在处理的，等有了最终结果再导入；是成功或退回的，"
    "请在银行格式文件的 [result] 里补上这个说法。",
    "no_reference": "找不到付款编号（CQV-…）。请核对列名，或这一行是否属于本系统导出的付款文件。",
    "no_amount": "没有金额。请补上后重新导入。",
}
"""What may be wrong with a row of a result file, and what to do."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How a result file ended. counts of rows: paid, returned, known, wrong; wrong ones are in problems.

    act: None when nothing was news. blocked: the file could not be read, nothing of it was taken.
    """

    sha256: str
    paid: int
    returned: int
    known: int
    problems: Sequence[Problem]
    act: int | None = None
    blocked: bool = False


def take(engine: Engine, source: Path, user: User, asked: str | None) -> Taken:
    """Take in a result file. asked: the profile, None to tell it by its columns."""
    with receive(source) as received:
        found = bank_files.read(received.path, "result", asked)
        blocking = [problem for problem in found.problems if problem.severity == "blocking"]
        if found.profile is None or blocking:
            return Taken(received.digests.sha256, 0, 0, 0, found.problems, blocked=True)
        rows, problems = told(found.rows, found.profile, found.problems)
        return run(engine, lambda db: _book(db, received, rows, problems, user))


def told(rows: Sequence[Values], profile: Profile, problems: Sequence[Problem]) -> tuple[list[Values], list[Problem]]:
    """Turn a bank's words into states; rows that cannot be understood are left out and become problems."""
    found: list[Values] = []
    wrong = list(problems)
    words = dict.fromkeys(profile.result["paid"], "paid") | dict.fromkeys(profile.result["returned"], "returned")
    for row in rows:
        reference = _REFERENCE.search(row["reference"] or "")
        state = words.get(row["state"] or "")
        code = None if reference else "no_reference"
        code = code or (None if state else "bad_state") or (None if row["amount"] is not None else "no_amount")
        if not row["sound"]:
            continue
        if code is not None or reference is None:
            shown = row["state"] if code == "bad_state" else row["reference"]
            wrong.append(problem(code or "no_reference", row, shown or ""))
            continue
        found.append(
            {
                "row_no": row["row_no"], "at": row["at"], "sheet": row["sheet"],
                "reference": reference[0], "state": state, "amount_fen": row["amount"],
                "day": row.get("day"),
                "bank_reference": row.get("bank_reference") or "",
                "reason": (row.get("reason") or "银行未说明") if state == "returned" else "",
            }
        )  # fmt: skip
    return found, wrong


def problem(code: str, row: Values, value: str) -> Problem:
    """Say what is wrong with a row."""
    return Problem(code, "error", SENTENCES[code], row=row["at"], value=value, sheet=row["sheet"])


def _book(db: Connection, received: Received, rows: Sequence[Values], problems: Sequence[Problem], user: User) -> Taken:
    """Book what is news as one act."""
    sha256 = received.digests.sha256
    run_file(db, "queries/pay/lock.sql")
    expect_many(db)
    run_file(db, "queries/pay/50_told.sql", rows=canonical(rows), today=business_day())
    sums = one(db, "queries/pay/told_sums.sql")
    assert sums is not None
    places = {row["row_no"]: row for row in rows}
    refused = query(db, "queries/pay/told_problems.sql")
    wrong = [*problems, *(problem(each["code"], places[each["row_no"]], each["reference"]) for each in refused)]
    act = _write(db, received, user) if sums["paid"] + sums["returned"] else None
    return Taken(sha256, sums["paid"], sums["returned"], sums["known"], wrong, act)


def _write(db: Connection, received: Received, user: User) -> int:
    """Write the news and their journal; return the act's id."""
    sha256: str = received.digests.sha256
    earlier: Any = one(db, "queries/pay/earlier_results.sql", stem=sha256 + ":")
    with acts.act(db, "payment_result", f"{sha256}:{earlier['times'] + 1}", user.name, {"sha256": sha256}) as act:
        run_file(
            db, "queries/import/59_document.sql",
            act_id=act.act_id, sha256=sha256, sm3=received.digests.sm3, size_bytes=received.size_bytes,
        )  # fmt: skip
        run_file(db, "queries/pay/lock_payees.sql")
        budget.keep_years(db)
        run_file(db, "queries/pay/51_share.sql")
        run_file(db, "queries/pay/52_accounts.sql", act_id=act.act_id)
        run_file(db, "queries/pay/53_transfers.sql", act_id=act.act_id)
        run_file(db, "queries/pay/54_moves.sql", act_id=act.act_id)
        run_file(db, "queries/pay/55_results.sql", act_id=act.act_id, sha256=sha256)
        ledger.update_balances(db, act)
        keep([received])
    return act.act_id

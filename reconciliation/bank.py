"""Bank statements: imported whole, matched by SQL; what a person matches is a proposal and can be undone."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from importers.messages import make
from importers.originals import keep
from importers.receive import Received, receive
from reconciliation import bank_files
from reconciliation.bank_files import Read, Values
from voucher import acts, approval, life
from voucher.access import User
from voucher.acts import canonical
from voucher.database import Row, expect_many, one, query, run, run_file
from voucher.errors import Misused, Refused
from voucher.money import format_yuan
from voucher.problem import Problem, Severity

KIND = "bank_match"
_REFERENCE = re.compile(r"CQV-\d+-\d+", re.ASCII)
_LINE = re.compile(r"(\d{1,18}):(\d{1,18})\Z", re.ASCII)
WAYS: Mapping[str, str] = {
    "hand": "人工", "reference": "付款编号", "amount": "金额与户名", "batch": "整批合计", "payee": "同一收款方合计",
}  # fmt: skip
"""Way of matching to what it is called on screen."""
SIDES = {
    "payment": "付款，银行未见", "back": "退回，银行未见收回", "out": "银行支出，台账未见", "in": "银行收入，台账未见",
}  # fmt: skip
"""Side of a leftover to what it is called on screen."""
SENTENCES: Mapping[str, str] = {
    "no_movement": "这一行没有收支金额，没有读入；期初余额一类的行不必理会。",
    "both_sides": "这一行既有支出又有收入。请与银行核实，分成两行后重新导入整份对账单。",
    "no_day": "这一行有金额，没有日期。是合计的删去，是收支的补上日期，再重新导入整份对账单。",
}
"""What may be wrong with a row of a statement, and what to do."""


@dataclass(frozen=True, slots=True)
class Within:
    """How late and how far off the bank may book a payment: days from sending it, and fen."""

    days: int = 10
    tolerance_fen: int = 0


USUAL = Within()
"""What holds when nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How a statement ended. known: rows that earlier statements had. statement: None when it was refused."""

    statement: int | None
    rows: int
    known: int
    problems: Sequence[Problem]
    fresh: bool = True


def take(engine: Engine, source: Path, user: User, asked: str | None) -> Taken:
    """Import a statement; it stands or falls whole. asked: the profile, None to tell it by the columns."""
    with receive(source) as received:
        found = bank_files.read(received.path, "statement", asked)
        lines, problems = told(found)
        if found.profile is None or any(each.severity != "warning" for each in problems):
            return Taken(None, len(found.rows), 0, problems)
        name = found.profile.name
        return run(engine, lambda db: _write(db, received, name, lines, problems, user))


def told(found: Read) -> tuple[list[Values], list[Problem]]:
    """Turn rows into lines: one signed amount, the reference in the remark, what tells a line from all others."""
    problems = list(found.problems)
    counted: Counter[str] = Counter()
    lines: list[Values] = []
    section = found.profile.statement if found.profile else {}
    for row in found.rows:
        if not row["sound"]:
            continue
        place = {"row": row["at"], "sheet": row["sheet"]}
        amount = _paid_out(section, row)
        if amount is None:
            choices = "、".join([*section["out"], *section["in"]])
            column, word = section["columns"]["direction"], row["direction"] or ""
            problems.append(make("bad_choice", **place, column=column, value=word, choices=choices))
            continue
        code = "both_sides" if row.get("paid_out") and row.get("paid_in") else None if amount else "no_movement"
        if code := code or (None if row.get("day") else "no_day"):
            severity: Severity = "warning" if code == "no_movement" else "error"
            problems.append(Problem(code, severity, SENTENCES[code], row=row["at"], sheet=row["sheet"]))
            continue
        words = {key: row.get(key) or "" for key in ("name", "serial", "remark")}
        last4 = re.sub(r"\s", "", row.get("account") or "")[-4:]
        said = canonical([row["day"], row.get("time") or "", amount, last4, *words.values()])
        counted[said] += 1
        reference = _REFERENCE.search(f"{words['remark']} {words['serial']}")
        lines.append(
            {
                "row_no": row["row_no"], "booked_on": row["day"], "amount_fen": amount, "account_last4": last4, **words,
                "reference": reference[0] if reference else None,
                "line_digest": hashlib.sha256(f"{said}{counted[said]}".encode()).hexdigest(),
            }
        )  # fmt: skip
    return lines, problems


def _paid_out(section: Mapping[str, Any], row: Values) -> int | None:
    """Tell the fen that left the account, below zero what came in; None when the bank's word for that is not known."""
    if "amount" not in section.get("columns", {}):
        return (row.get("paid_out") or 0) - (row.get("paid_in") or 0)
    amount: int = row["amount"] or 0
    if "direction" not in section["columns"]:
        return -amount
    word = row["direction"]
    return amount if word in section["out"] else -amount if word in section["in"] else None


def _write(
    db: Connection,
    received: Received,
    profile: str,
    lines: Sequence[Values],
    warnings: Sequence[Problem],
    user: User,
) -> Taken:
    """Write a statement as one act; the same file again is the first one."""
    sha256 = received.digests.sha256
    run_file(db, "queries/pay/lock.sql")
    earlier = one(db, "queries/bank/earlier.sql", sha256=sha256)
    if earlier is not None:
        return Taken(earlier["statement_id"], earlier["rows"], earlier["known"], [], fresh=False)
    expect_many(db)
    known = one(db, "queries/bank/known.sql", digests=[line["line_digest"] for line in lines])
    assert known is not None
    with acts.act(db, "bank_statement", sha256, user.name, {"sha256": sha256, "profile": profile}) as act:
        run_file(
            db, "queries/import/59_document.sql",
            act_id=act.act_id, sha256=sha256, sm3=received.digests.sm3, size_bytes=received.size_bytes,
        )  # fmt: skip
        run_file(
            db, "queries/bank/statement.sql", act_id=act.act_id, sha256=sha256, file_name=received.name,
            profile=profile, rows=len(lines), known=known["lines"],
        )  # fmt: skip
        run_file(db, "queries/bank/lines.sql", act_id=act.act_id, rows=canonical(lines))
        keep([received])
    return Taken(act.act_id, len(lines), known["lines"], warnings)


def counts(db: Connection, within: Within = USUAL, cutoff: int = acts.NOW) -> list[Row]:
    """Count the matches by the way they were found, as they stood at a seal number."""
    expect_many(db)
    return query(db, "queries/bank/counts.sql", **asdict(within), cutoff=cutoff)


def leftovers(db: Connection, within: Within = USUAL, cutoff: int = acts.NOW) -> list[Row]:
    """List what has no counterpart, with its age in days and its bucket; amounts in fen."""
    expect_many(db)
    return query(db, "queries/bank/leftovers.sql", **asdict(within), cutoff=cutoff)


def by_hand(db: Connection, cutoff: int = acts.NOW) -> list[Row]:
    """List the matches by hand that stood at a seal number, newest first; match: what `undo` is told."""
    return query(db, "queries/bank/by_hand.sql", cutoff=cutoff)


def propose(db: Connection, user: User, line: str, references: Sequence[str], why: str) -> int:
    """Propose what a line (statement:row) was for: these payments, or none of ours. Returns the act's id.

    The sums may differ: that is what a person decides; the payload shows both. The same again gives the first one's.
    Raises Misused, Refused.
    """
    place = _LINE.match(line)
    if place is None:
        raise Misused("bad_line", f"“{line}”不是对账单的行号，应写成 对账单号:行号。用 cvl bank list 查看。")
    if not why.strip():
        raise Misused("why", "请写明理由。")
    wanted = sorted(set(references))
    run_file(db, "queries/pay/lock.sql")
    found = one(db, "queries/bank/line.sql", statement_id=int(place[1]), row_no=int(place[2]))
    if found is None:
        raise Refused("no_line", f"没有对账单行 {line}。请用 cvl bank list 查看。")
    if found["match_act_id"] is not None:
        if (first := approval.done_before(db, KIND, f"{line}/", {"references": wanted, "why": why})) is not None:
            return first
        raise Refused("matched", f"对账单行 {line} 已由事项 {found['match_act_id']} 人工匹配，须先撤销。")
    paid = query(db, "queries/bank/payments.sql", wanted=wanted, incoming=found["amount_fen"] < 0)
    missing = sorted(set(wanted) - {row["reference"] for row in paid})
    if missing:
        raise Refused("unknown_payment", f"没有付款 {missing[0]}，或它尚未批准。请核对付款编号。")
    held = [row["reference"] for row in paid if row["held"]]
    if held:
        raise Refused("matched", f"付款 {held[0]} 已人工匹配到另一行，须先撤销。")
    total = sum(row["amount_fen"] for row in paid)
    payload = {
        "line": line, "amount_fen": found["amount_fen"], "booked_on": found["booked_on"].isoformat(),
        "name": found["name"], "references": wanted, "payments_fen": total, "why": why,
    }  # fmt: skip
    said = "、".join(wanted) if wanted else "不属于本系统的付款"
    amount = format_yuan(found["amount_fen"], grouped=True)
    subject = f"对账单行 {line}（{amount}元）匹配：{said}"
    return approval.propose_next(db, KIND, f"{line}/", subject, payload, user)


def _approve(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Put an approved match on record. Raises Refused (`stale`) when the line or a payment was matched meanwhile."""
    payload = json.loads(proposal.payload)
    statement_id, row_no = map(int, payload["line"].split(":"))
    run_file(db, "queries/pay/lock.sql")
    line = one(db, "queries/bank/line.sql", statement_id=statement_id, row_no=row_no)
    paid = query(db, "queries/bank/payments.sql", wanted=payload["references"], incoming=payload["amount_fen"] < 0)
    if line is None or line["match_act_id"] is not None or any(row["held"] for row in paid):
        raise Refused("stale", "提交之后这一行或其中的付款已另行匹配。请退回本事项。")
    run_file(
        db, "queries/bank/match.sql", act_id=act.act_id, statement_id=statement_id, row_no=row_no,
        payments=[row["payment_id"] for row in paid], why=payload["why"],
    )  # fmt: skip
    life.move(db, act, KIND, [act.act_id], "made", payload["why"])
    return {"line": payload["line"], "match": str(act.act_id)}


approval.declare(KIND, _approve)


def undo(db: Connection, user: User, match: int, why: str) -> int:
    """Undo a match by hand by a new act; twice gives the first answer. match: the act that approved it."""
    if not why.strip():
        raise Misused("why", "请写明理由。")
    run_file(db, "queries/pay/lock.sql")
    found = one(db, "queries/bank/find_match.sql", match_act_id=match)
    if found is None:
        raise Refused("no_match", f"没有编号为 {match} 的人工匹配。请用 cvl bank list 查看。")
    if found["state"] == "undone" and found["why"] != why:
        raise Refused("undone", f"这项匹配早已撤销（{found['why']}）。")
    try:
        with acts.act(db, "bank_match_undo", str(match), user.name, {"why": why}) as act:
            life.move(db, act, KIND, [match], "undone", why)
    except acts.AlreadyDone as done:
        return done.act_id
    return act.act_id

"""`cvl bank`: import statements, see what has no counterpart, match by hand and undo it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from console import chinese, within
from console.answer import Answer, table, yuan
from console.chinese import FILE, NUMBER, argument, option
from console.door import Verb
from console.problems import problem_data, problem_lines
from console.proposed import proposed
from reconciliation import bank
from voucher import access, acts, approval
from voucher.database import run
from voucher.money import format_yuan

SHOWN = 30


def take(engine: Engine, as_user: str | None, file: Path, profile: str | None) -> Answer:
    """Import a statement."""
    user = run(engine, lambda db: access.require(db, as_user, "bank import"), "cvl_auditor")
    taken = bank.take(engine, file, user, profile)
    data: dict[str, Any] = {
        "file": str(file), "statement": None if taken.statement is None else str(taken.statement), "rows": taken.rows,
        "known": taken.known, "problems": [problem_data(each) for each in taken.problems],
    }  # fmt: skip
    if taken.statement is None:
        first = next(each for each in taken.problems if each.severity != "warning")
        data["error"] = {"code": first.code, "message": first.message}
        return Answer(data, [f"{file}：没有读入，整份对账单未写入。", *problem_lines(taken.problems)], 1)
    if not taken.fresh:
        return Answer(data, [f"{file}：早已导入（对账单 {taken.statement}），没有改动。"])
    said = f"{file}：已导入为对账单 {taken.statement}，{taken.rows}行，其中{taken.known}行此前已有。"
    return Answer(
        data, [said, *problem_lines(taken.problems), "下一步：cvl bank list 查看未匹配的，cvl reconcile 核对。"]
    )


def show(engine: Engine, tolerance: int, days: int, as_of: str | None) -> Answer:
    """Show how lines and payments were matched, and what is left over, by age."""

    def work(db: Connection) -> Answer:
        cutoff, reach = acts.cutoff(db, as_of), bank.Within(days, tolerance)
        ways, rows = bank.counts(db, reach, cutoff), bank.leftovers(db, reach, cutoff)
        made = bank.by_hand(db, cutoff)
        data = {
            "tolerance": format_yuan(tolerance), "days": days,
            "matched": [{"way": w["way"], "payments": w["matches"], "lines": w["lines"]} for w in ways],
            "leftovers": [
                {
                    "side": r["side"], "subject": r["subject"], "day": r["day_on"], "name": r["name"],
                    "amount": format_yuan(r["amount_fen"]), "age": r["age"], "bucket": r["bucket"], "note": r["note"],
                }
                for r in rows
            ],
            "by_hand": [
                {
                    "match": str(m["match"]), "line": m["line"], "payments": (m["payments"] or "").split(),
                    "amount": format_yuan(m["amount_fen"]), "why": m["why"],
                }
                for m in made
            ],
        }  # fmt: skip
        text = table(
            ["匹配方式", ">付款", ">对账单行"],
            [(bank.WAYS[w["way"]], str(w["matches"]), str(w["lines"])) for w in ways],
        )
        shown = [
            (bank.SIDES[r["side"]], r["subject"], str(r["day_on"]), yuan(r["amount_fen"]), r["bucket"] or "", r["name"])
            for r in rows[:SHOWN]
        ]
        headers = ["未匹配", "编号", "日期", ">金额", "账龄", "户名"]
        text += ["", *(table(headers, shown) if rows else ["全部匹配。"])]
        if len(rows) > SHOWN:
            text.append(f"……另有{len(rows) - SHOWN}项，见 --json")
        hands = [
            (str(m["match"]), m["line"], m["payments"] or "不是本系统的付款", yuan(m["amount_fen"]), m["why"])
            for m in made[:SHOWN]
        ]
        if hands:
            text += ["", *table(["匹配号", "人工匹配的行", "付款编号", ">金额", "理由"], hands)]
            text.append("撤销：cvl bank undo 匹配号 --why 理由")
        return Answer(data, text)

    return run(engine, work, "cvl_auditor")


def match(engine: Engine, as_user: str | None, line: str, references: Sequence[str], why: str) -> Answer:
    """Propose a match by hand."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "bank match")
        act = bank.propose(db, user, line, references, why)
        return proposed(approval.find(db, act), line=line, payments=list(references))

    return run(engine, work)


def undo(engine: Engine, as_user: str | None, match: int, why: str) -> Answer:
    """Undo a match by hand."""

    def work(db: Connection) -> Answer:
        act = bank.undo(db, access.require(db, as_user, "bank undo"), match, why)
        return Answer({"act": str(act), "match": str(match)}, [f"已撤销人工匹配 {match}。"])

    return run(engine, work)


VERBS = (
    Verb(
        "bank import",
        take,
        "导入银行对账单（csv 或 xlsx）。一份文件要么全部读入，要么全部不读；重复的行不会重复计。",
        [
            argument("file", "文件", FILE),
            option("--profile", help="银行格式：随附的名称，或自己的格式文件；不写则按列名识别", shown="格式"),
        ],
        acting=True,
    ),
    Verb(
        "bank list",
        show,
        "列出付款与对账单的匹配情况，未匹配的按账龄列出。",
        [*within.OPTIONS, chinese.as_of()],
    ),
    Verb(
        "bank match",
        match,
        "人工匹配：说明对账单的一行是哪几笔付款；不写付款编号，表示不属于本系统的付款。由复核人员批准后生效。",
        [
            argument("line", "对账单号:行号"),
            argument("references", "付款编号", required=False, several=True),
            option("--why", help="理由", required=True, shown="理由"),
        ],
        acting=True,
    ),
    Verb(
        "bank undo",
        undo,
        "撤销一项人工匹配。匹配号见 cvl bank list。",
        [argument("match", "匹配号", NUMBER), option("--why", help="理由", required=True, shown="理由")],
        acting=True,
    ),
)

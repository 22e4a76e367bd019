"""Whatever waits for a person names the next command, and the command that it names does what it says."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shlex import split

from console import invoices
from console.imports import outcome_lines
from importers import resolve
from tests.postgres.desk import CHECKER, MAKER, Desk, bill_of, line, real
from tests.samples import export, ofd, pdf
from tests.samples.bill import Bill, Row
from tests.samples.xml import xml
from voucher import approval
from voucher.database import run

ROUNDED = "26502000000099900000"
AGAIN, MONTH = "cvl import 文件 --as 经办人员", "cvl import 文件 --service-month 年-月 --as 经办人员"
LESS = (Row(net="7.00", tax="0.42"),)


def of(symbol: str, **other: object) -> Bill:
    """Write the tax invoice of a number, with a span in its remark."""
    bill = replace(bill_of(line(symbol)), remark="服务期间：2026-07-01至2026-07-31")
    return replace(bill, **other)  # type: ignore[arg-type]


def waiting(desk: Desk) -> dict[str, tuple[str, Sequence[str]]]:
    """Hand in what ends in each kind of waiting; returns what to expect: title to number and commands.

    A command of one word is that of `cvl invoice resolve` for a document of that name.
    """
    red = of("r", red_of=real("a"), rows=(Row(net="-1.00", tax="-0.06", quantity="-1"),), remark="")
    sums = {"发票基础信息": export.table(export.INVOICES, export.invoices([of("m", gross="1.00")])),
            "信息汇总表": export.table(export.HEADER, export.rows([of("m")]))}  # fmt: skip
    wrong = pdf.qr_text(of("i", gross="1060.01"))
    other_buyer = bill_of(line("q", buyer="D")).buyer
    files: dict[str, tuple[str, list[tuple[str, bytes | list[dict[str, str]]]], Sequence[str]]] = {
        "original": (real("r"), [("r.xml", xml(red))], [AGAIN]),
        "span": (real("b"), [("b.xml", xml(of("b", remark="")))], [MONTH]),
        "tax codes": (real("c"), [("c.ofd", ofd.pack(ofd.tagged(of("c"))))], [AGAIN]),
        "code alone": (real("d"), [("d.pdf", pdf.qr(pdf.qr_text(of("d"))))], [AGAIN]),
        "other id": (real("e"), [("e.xml", xml(of("e", eiid=real("b"))))], ["e.xml", AGAIN]),
        "other id, no span": (real("f"), [("f.xml", xml(of("f", eiid=real("b"), remark="")))], [MONTH]),
        "rounded": (ROUNDED, [("n.csv", [line(ROUNDED)])], ["n.csv", AGAIN]),
        "other code": (real("i"), [("i.pdf", pdf.qr(wrong, tree=xml(of("i"))))], ["i.pdf", AGAIN]),
        "other code, no lines": (real("j"), [("j.pdf", pdf.qr(wrong, pdf.keys(of("j"))))], [AGAIN]),
        "other sums": (real("m"), [("m.xlsx", export.xlsx_bytes(sums))], ["m.xlsx", AGAIN]),
        "other sums than what waits": (
            real("h"), [("h.xml", xml(of("h", remark="", rows=LESS))), ("h.csv", [line("h")])],
            ["h.csv", MONTH, AGAIN],
        ),
        "conflict": (
            real("g"), [("g.csv", [line("g")]), ("g.xml", xml(of("g", rows=LESS)))], ["g.csv", "g.xml", AGAIN],
        ),
        "conflict of parties": (
            real("q"), [("q.csv", [line("q")]), ("q.xml", xml(of("q", rows=LESS, buyer=other_buyer)))],
            ["q.csv", AGAIN],
        ),
        "doubtful beside what counts": (
            real("o"), [("o.csv", [line("o")]), ("o.xml", xml(of("o", eiid=real("b"))))], ["o.xml", AGAIN],
        ),
        "rejected": (real("k"), [("k.csv", [line("k", tax="1.00")])], [AGAIN]),
    }  # fmt: skip
    for title, (number, each, _) in files.items():
        for name, data in each:
            outcome = desk.take(data, name=name)
        for rehearsed in (False, True):
            told = f"    cvl invoice show {number}" in outcome_lines(Path(name), outcome, rehearsed, None)
            assert told == (title != "rejected" and not rehearsed), title
    return {title: (number, commands) for title, (number, _, commands) in files.items()}


def test_each_kind_of_waiting_names_a_command_that_works(desk: Desk) -> None:
    expected = waiting(desk)
    for title, (number, commands) in expected.items():
        answer = invoices.show(desk.engine, number)
        steps = [step["command"] for step in answer.data["next"]]
        names = {document["sha256"][:12]: document["file"] for document in answer.data["documents"]}
        found = [names[split(step)[5]] if "resolve" in step else step for step in steps]
        asked = [f"cvl invoice document {number} --out 目录"] if any("." in name for name in commands) else []
        assert found == [*asked, *commands], title
        assert all(any(step in said for said in answer.text) for step in steps), title
    listed = invoices.show_all(desk.engine, None, None, "conflict", None)
    assert listed.data["disputed"] == sorted(expected[title][0] for title in ("conflict", "conflict of parties"))
    assert any(real("q") in said for said in listed.text)
    for title, (number, _) in expected.items():
        steps = [step["command"] for step in invoices.show(desk.engine, number).data["next"]]
        if choices := [split(step) for step in steps if "resolve" in step]:
            keep = choices[-1][5]
            act = run(desk.engine, lambda db, n=number, k=keep: resolve.propose(db, MAKER, n, k, "核对原件"))
            run(desk.engine, lambda db, a=act: approval.decide(db, a, "approved", CHECKER))
            shown = invoices.show(desk.engine, number).data
            assert (shown["status"], shown["next"]) == ("accepted", []), title
    assert invoices.show_all(desk.engine, None, None, "conflict", None).data["disputed"] == []


def test_a_red_letter_that_its_blue_has_no_room_for_is_not_told_to_bring_the_blue(desk: Desk) -> None:
    desk.take([line("r", "-40.00", red_of="a")])
    (first,) = invoices.show(desk.engine, real("r")).data["next"]
    assert first["what"].startswith("导入蓝字发票")
    desk.take([line("a", "30.00")], name="a.csv")
    (step,) = invoices.show(desk.engine, real("r")).data["next"]
    assert (step["command"], real("a") in step["what"], "已受理" in step["what"]) == (AGAIN, True, True)

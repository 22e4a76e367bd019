"""The handbook for finance staff shows what the commands print: its sessions are run, and compared word for word.

`CVL_WRITE_HANDBOOK=1 python -m pytest tests/walk/test_handbook.py` writes answers and pictures anew after a change.
"""

import os
import re
import shlex
from functools import partial
from pathlib import Path

import pytest

from reconciliation import payments
from tests.postgres.desk import companies, csv_bytes, providers
from tests.screens import drawn
from tests.walk.conftest import ROOT, Desk, line
from voucher.database import run
from voucher.money import format_yuan

PAGE = ROOT / "docs/finance.md"
_SESSION = re.compile(r"```console\n(.*?)```", re.DOTALL)
_SCREEN = re.compile(r"\]\((screen-[a-z]+\.svg)\)")
_DAY = re.compile(r"<!-- (\d{4}-\d\d-\d\d) -->")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?")
_DIGEST = re.compile(r"\b(?=[0-9]*[a-f])[0-9a-f]{12,64}\b")
ACCOUNTS = {"C": "6222000011112222", "D": "6222000033334444"}


def lay_out(desk: Desk) -> None:
    """Lay the month's files on the desk."""
    rows = companies("C", "D")
    for row, symbol in zip(rows[1:], "CD", strict=True):
        row[6:] = [row[1], "合成银行重庆支行", ACCOUNTS[symbol], "000000000001"]
    desk.sheet(rows, "企业名单.csv")
    desk.sheet(providers("P"), "服务商名单.csv")
    good = [line("a", "620000.00", since="2026-07-01", until="2026-07-31"), line("b", "4800000.00")]
    bad = line("c", "1000.00", buyer="X")
    desk.file([*good, line("d", "100000.00", buyer="D"), bad], "七月算力.csv")


def result(desk: Desk, *batches: int) -> None:
    """Write what the bank answers to batches: everything paid."""
    found = [paid for batch in batches for paid in run(desk.engine, partial(payments.payments, batch=batch))]
    rows = [
        [f"算力券兑付 {paid['reference']}", format_yuan(paid["amount_fen"]), "成功", "2026-08-24", f"LS-{place}", ""]
        for place, paid in enumerate(found, 1)
    ]
    header = ["用途", "金额", "处理结果", "交易日期", "交易流水号", "失败原因"]
    desk.bytes(csv_bytes([header, *rows], "gb18030"), "银行回单.csv")


def told(desk: Desk, command: str) -> str:
    """Run one command of the handbook; give what it prints, without what differs from run to run."""
    if command.startswith("cvl pay result"):
        result(desk, *(int(each["batch"]) for each in desk.data("pay", "list")["batches"]))
    found = desk.cvl(*shlex.split(command)[1:])
    said = (found.out + found.err).replace(f"{desk.folder}/", "")
    said = _DIGEST.sub(
        lambda m: f"{'（摘要）':<{len(m[0]) - 4}}", _TIME.sub(lambda m: f"{'（时间）':<{len(m[0]) - 4}}", said)
    )
    text = "".join(f"{row.rstrip()}\n" for row in said.splitlines())
    return text + (f"（退出码 {found.status}）\n" if found.status else "")


def played(desk: Desk, page: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, str]]:
    """Return the page with the answers that its commands give now, and each session's picture by its name."""
    pieces, place, screens = [], 0, dict[str, str]()
    for session in _SESSION.finditer(page):
        before = page[place : session.start()]
        for day in _DAY.findall(before):
            monkeypatch.setenv("CVL_TODAY", day)
        commands = re.findall(r"^\$ (.+)$", session[1], re.MULTILINE)
        answers = "".join(f"$ {command}\n{told(desk, command)}" for command in commands)
        pieces += [before, f"```console\n{answers}```"]
        (name,) = _SCREEN.findall(before)
        screens[name] = drawn(answers)
        place = session.end()
    return "".join([*pieces, page[place:]]), screens


def test_the_handbook_shows_what_the_commands_print(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    lay_out(desk)
    page = PAGE.read_text("utf-8")
    now, screens = played(desk, page, monkeypatch)
    if os.environ.get("CVL_WRITE_HANDBOOK"):
        PAGE.write_text(now, "utf-8")
        for name, picture in screens.items():
            (PAGE.parent / name).write_text(picture, "utf-8")
    assert now == page
    assert screens == {path.name: path.read_text("utf-8") for path in PAGE.parent.glob("screen-*.svg")}
    named = {command.split()[0] for command in re.findall(r"^\$ cvl (.+)$", page, re.MULTILINE)}
    assert {"import", "settle", "disclose", "pay", "reconcile", "explain", "voucher", "simulate"} <= named
    assert not re.search(r"（退出码 [124567]", page), "the handbook shows a command that was refused"
    assert (Path(desk.folder) / "对账表.xlsx").exists()

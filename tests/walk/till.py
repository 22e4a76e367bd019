"""A till: a desk with a settled and disclosed run, on a day on which it can be paid."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.postgres.desk import companies, csv_bytes, line
from tests.walk.desk import Desk
from voucher.money import parse_yuan

PAYDAY = "2026-08-24"
ONE, TWO = (row[0] for row in companies("C", "D")[1:])
ACCOUNT = {"C": "6222000011112222", "D": "0000000000000000017"}


def accounts(*symbols: str, **changed: str) -> list[list[str]]:
    """Write a companies file with accounts."""
    rows = companies(*symbols)
    for row, symbol in zip(rows[1:], symbols, strict=True):
        row[6:] = ["", "合成银行重庆支行", changed.get(symbol, ACCOUNT[symbol]), "000000000001"]
    return rows


@dataclass
class Till:
    """A desk with an approved, disclosed run (a, b of C; d of D), on a day on which it can be paid."""

    desk: Desk
    run: str

    def batch(self, status: int = 0) -> Any:
        return self.desk.data("pay", "batch", self.run, "--as", "maker1", status=status)

    def sent(self) -> Any:
        """Propose and approve a batch."""
        made = self.batch()
        self.desk.data("approve", made["act"], "--as", "checker1")
        return made

    def file(self, *rows: tuple[str, str, str, str], name: str = "结果.csv") -> Path:
        """Lay a result file on the desk: reference, amount, state, serial."""
        header = ["用途", "金额", "处理结果", "交易日期", "交易流水号", "失败原因"]
        body = [
            [f"算力券兑付 {ref}", amount, state, "2026-08-24", serial, "账号户名不符" if state == "退回" else ""]
            for ref, amount, state, serial in rows
        ]
        return self.desk.bytes(csv_bytes([header, *body], "gb18030"), name)

    def result(self, *rows: tuple[str, str, str, str], status: int = 0, name: str = "结果.csv") -> Any:
        """Take in a result file."""
        return self.desk.data("pay", "result", self.file(*rows, name=name), "--as", "maker1", status=status)

    def balances(self) -> dict[str, str]:
        found = self.desk.data("balance", "money:")["accounts"]
        sums: dict[str, int] = {}
        for each in found:
            kind = each["account"].split(":")[1]
            sums[kind] = sums.get(kind, 0) + parse_yuan(each["balance"])
        return {kind: f"{fen / 100:.2f}" for kind, fen in sums.items() if fen}


def disclosed(desk: Desk) -> None:
    """Register accounts, accept a, b of C and d of D, settle and disclose them; before that nothing can be paid."""
    desk.data("registry", "import", desk.sheet(accounts("C", "D"), "账户.csv"), "--as", "maker1")
    desk.data("import", desk.file([line("a"), line("b"), line("d", buyer="D")]), "--as", "maker1")
    run = desk.settled()
    refused = desk.data("pay", "batch", run, "--as", "maker1", status=1)
    assert refused["error"]["code"] == "not_disclosed"
    desk.data("disclose", run, "--as", "maker1")
    assert desk.data("pay", "batch", run, "--as", "maker1", status=1)["error"]["code"] == "disclosure_running"

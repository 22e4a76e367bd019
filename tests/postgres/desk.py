"""A clerk's desk: write the files that come in, hand them in at the real doors, and look into the books."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import Engine, text

from importers import accept
from importers.outcome import Outcome
from importers.registry import Taken, import_registry
from tests.cases import sheets
from tests.cases.steps import PARTIES, number
from tests.samples.bill import Bill, Row
from voucher.access import User
from voucher.database import transaction
from voucher.money import format_yuan, parse_yuan

MAKER, CHECKER = User("maker1", "maker", None), User("checker1", "checker", None)
HEADER = sheets.TEMPLATE.split(",")
GPU = "3040203000000000000"
Cells = dict[str, Any]


def line(symbol: str, net: str = "1000.00", *, seller: str = "P", buyer: str = "C", red_of: str = "",
         since: str = "2026-07-01", until: str = "2026-07-31", **other: Any) -> Cells:  # fmt: skip
    """Write one row of the template, 6 % tax; `other` names further columns by `WORDS`."""
    fen = parse_yuan(net)
    tax = (abs(fen) * 6 + 50) // 100 * (1 if fen >= 0 else -1)
    cells = {
        "模板版本": "CQ-COMPUTE-1", "发票号码": real(symbol), "发票类型": "红字" if red_of else "蓝字",
        "开票日期": "2026-08-01", "供方统一社会信用代码": PARTIES[seller].uscc, "供方名称": PARTIES[seller].name,
        "用方统一社会信用代码": PARTIES[buyer].uscc, "用方名称": PARTIES[buyer].name, "合同编号": "HT-1",
        "服务起始日": since, "服务截止日": until, "税收分类编码": GPU, "项目名称": "智算算力服务",
        "规格型号": "80G-8卡", "计量单位": "卡时", "用量": "-1" if red_of else "1", "不含税金额": net, "税率": "6%",
        "税额": format_yuan(tax),
        "价税合计": format_yuan(fen + tax), "已付金额": "", "原发票号码": real(red_of) if red_of else "", "备注": "",
    }  # fmt: skip
    return cells | {WORDS[name]: value for name, value in other.items()}


WORDS = {
    "version": "模板版本", "number": "发票号码", "kind": "发票类型", "issued": "开票日期",
    "seller_code": "供方统一社会信用代码", "seller_name": "供方名称",
    "buyer_code": "用方统一社会信用代码", "buyer_name": "用方名称", "contract": "合同编号",
    "tax_code": "税收分类编码", "item": "项目名称", "unit": "计量单位", "quantity": "用量",
    "rate": "税率", "tax": "税额", "gross": "价税合计", "paid": "已付金额", "original": "原发票号码", "remark": "备注",
}  # fmt: skip
"""Short name to the template's column."""


def real(symbol: str) -> str:
    """Return the number of an invoice that a test calls by a short symbol."""
    return symbol if len(symbol) >= 15 else number(symbol)


def bill_of(row: Cells) -> Bill:
    """Write the tax invoice that a row of the template speaks of."""
    seller = (row["供方统一社会信用代码"], row["供方名称"])
    buyer = (row["用方统一社会信用代码"], row["用方名称"])
    amounts = Row(item=row["项目名称"], net=row["不含税金额"], tax=row["税额"], quantity=row["用量"])
    return Bill(
        number=row["发票号码"], seller=seller, buyer=buyer, issued=row["开票日期"], remark="",
        red_of=row["原发票号码"], rows=(amounts,),
    )  # fmt: skip


def table(rows: Iterable[Mapping[str, Any]], header: Sequence[str] = HEADER) -> list[list[Any]]:
    """Lay rows out under a header."""
    return [list(header), *([row.get(name, "") for name in header] for row in rows)]


def csv_bytes(rows: Iterable[Sequence[Any]], encoding: str = "utf-8") -> bytes:
    """Write a table as csv."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode(encoding)


def xlsx_bytes(*tables: Sequence[Sequence[Any]]) -> bytes:
    """Write tables as the sheets of a workbook; numbers stay numbers, everything else is text."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        for rows in tables:
            sheet = book.add_worksheet()
            for place, row in enumerate(rows):
                for column, cell in enumerate(row):
                    put = sheet.write_number if isinstance(cell, float) else sheet.write_string
                    put(place, column, cell)
    return file.getvalue()


@dataclass
class Desk:
    """Where files are handed in. home: CVL_HOME of the test."""

    engine: Engine
    home: Path

    def file(self, data: bytes | Iterable[Cells], name: str = "月报.csv") -> Path:
        """Lay a file on the desk; rows become a csv of the template."""
        path = self.home.parent / name
        path.write_bytes(data if isinstance(data, bytes) else csv_bytes(table(data)))
        return path

    def take(
        self, data: Path | bytes | Iterable[Cells], user: User = MAKER, *, provider: str | None = None,
        month: str | None = None, received_on: date | None = None, dry_run: bool = False, name: str = "月报.csv",
    ) -> Outcome:  # fmt: skip
        """Import an invoice file as `cvl import` does."""
        path = data if isinstance(data, Path) else self.file(data, name)
        asked = accept.ask(user, provider, month, received_on)
        return accept.import_file(self.engine, path, user, asked, dry_run=dry_run, listing=True)

    def register(self, sheet: Sequence[Sequence[Any]] | bytes | Path, name: str = "名单.csv") -> Taken:
        """Import a registry file as `cvl registry import` does."""
        if isinstance(sheet, Path):
            return import_registry(self.engine, sheet, MAKER)
        path = self.file(sheet if isinstance(sheet, bytes) else csv_bytes(sheet), name)
        return import_registry(self.engine, path, MAKER)

    def rows(self, statement: str, **params: object) -> list[tuple[Any, ...]]:
        """Read from the books."""
        with transaction(self.engine, "cvl_auditor") as db:
            return [tuple(row) for row in db.execute(text(statement), params)]

    def accepted(self) -> list[tuple[str, int]]:
        """List the accepted invoices: number and acceptance number, in order."""
        found = self.rows(
            "SELECT i.number, s.accepted_before + i.place AS no FROM invoice AS i"
            " INNER JOIN seal AS s ON s.act_id = i.act_id ORDER BY no"
        )
        return [(str(row[0]), int(row[1])) for row in found]

    def everything(self) -> dict[str, list[str]]:
        """Read every row of every table, to see whether anything has changed."""
        names = [row[0] for row in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'cvl'")]
        with transaction(self.engine, "cvl_owner") as db:
            return {
                name: sorted(row[0] for row in db.execute(text(f"SELECT CAST(t AS text) FROM {name} AS t")))
                for name in names
            }

    def documents(self) -> list[str]:
        """List the files kept under the home, by name."""
        with suppress(FileNotFoundError):
            return sorted(path.name for path in (self.home / "documents").rglob("*") if path.is_file())
        return []


def companies(*symbols: str, since: str = "2025-01-01", until: str = "") -> list[list[str]]:
    """Write a companies file without accounts."""
    rows = [[PARTIES[s].uscc, PARTIES[s].name, "智能体", since, until, "认定", "", "", "", ""] for s in symbols]
    return [sheets.COMPANIES.split(","), *rows]


def providers(*symbols: str, since: str = "2025-01-01", until: str = "") -> list[list[str]]:
    """Write a providers file."""
    rows = [[PARTIES[s].uscc, PARTIES[s].name, since, until] for s in symbols]
    return [sheets.PROVIDERS.split(","), *rows]


def said(outcome: Outcome | Taken) -> list[tuple[int | None, str]]:
    """List the problems: row and code."""
    return [(problem.row, problem.code) for problem in outcome.problems]


def statuses(outcome: Outcome) -> dict[str, str]:
    """Tell how each invoice number of an upload ended."""
    return {row["number"]: row["status"] for row in outcome.invoices}


def counts(outcome: Outcome) -> dict[str, int]:
    """Give the counts that are not zero."""
    return {name: count for name, count in outcome.counts.items() if count}

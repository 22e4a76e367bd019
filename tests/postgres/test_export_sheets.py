"""The sheets of the tax bureau's export: however they are named, ordered and written, no fen is counted twice."""

from dataclasses import replace

import pytest

from tests.postgres.desk import Desk, bill_of, counts, line, real, said, statuses
from tests.samples import export
from tests.samples.bill import Row

BILL = replace(
    bill_of(line("a")), remark="服务期间：2026-07-01至2026-07-31",
    rows=(Row(net="600.00", tax="36.00"), Row(net="400.00", tax="24.00")),
)  # fmt: skip
TOTAL = replace(BILL, rows=(Row(net="1000.00", tax="60.00"),))
STATED = ("发票状态", "是否正数发票", "发票风险等级", "备注")
LINES = export.table(export.HEADER, export.rows([BILL]))
TOTALS = export.table(export.HEADER, export.rows([TOTAL]))


@pytest.mark.parametrize("name", ["发票基础信息表", "发票基础信息(1)", "1-发票基础信息", "基础信息"])
@pytest.mark.parametrize("first", [True, False])
def test_totals_are_no_lines_under_a_longer_or_shorter_name_either(desk: Desk, name: str, first: bool) -> None:
    sheets = [(name, TOTALS), ("信息汇总表", LINES)]
    outcome = desk.take(export.xlsx_bytes(dict(sheets if first else sheets[::-1])), name="export.xlsx")
    assert (counts(outcome), said(outcome)) == ({"accepted": 2}, [])
    assert desk.rows("SELECT net_fen, tax_fen FROM invoice") == [(100000, 6000)]


@pytest.mark.parametrize("first", [TOTALS, LINES])
def test_an_invoice_on_two_sheets_of_lines_stops_the_file(desk: Desk, first: list[list[str]]) -> None:
    """Which of the sheets holds totals cannot be told; taken together, the invoice would count twice."""
    second = TOTALS if first is LINES else LINES
    outcome = desk.take(export.xlsx_bytes({"Sheet1": first, "Sheet2": second}), name="export.xlsx")
    assert (outcome.exit_status, said(outcome)) == (1, [(None, "export_sheets_repeat")])
    assert f"发票{real('a')}在工作表“Sheet1”和“Sheet2”里各有一份" in outcome.problems[0].message
    assert desk.rows("SELECT number FROM invoice") == []


def test_a_further_copy_of_the_lines_stops_the_file(desk: Desk) -> None:
    """Were the copies told apart by any cell, here 开票人, they would be more lines."""
    copy = [[*row[:-2], "另一人", *row[-1:]] if row[0].isdigit() else row for row in LINES]
    outcome = desk.take(export.xlsx_bytes({"信息汇总表": LINES, "信息汇总表 (2)": copy}), name="export.xlsx")
    assert (outcome.exit_status, said(outcome)) == (1, [(None, "export_sheets_repeat")])


def test_lines_may_go_on_another_sheet(desk: Desk) -> None:
    other = export.table(export.HEADER, export.rows([replace(BILL, number=real("b"))]))
    outcome = desk.take(export.xlsx_bytes({"信息汇总表": LINES, "信息汇总表1": other}), name="export.xlsx")
    assert (counts(outcome), said(outcome)) == ({"accepted": 4}, [])
    assert desk.rows("SELECT net_fen FROM invoice") == [(100000,), (100000,)]


def test_what_the_lines_lack_is_found_on_a_sheet_of_invoices_behind_them(desk: Desk) -> None:
    """Passed over, an invoice that was voided or reversed would be taken."""
    gone = replace(BILL, number=real("b"), extra={"status": "已作废"})
    less = replace(BILL, rows=(Row(net="1000.00", tax="60.00"), Row(net="-100.00", tax="-6.00", quantity="")))
    header = [name for name in export.HEADER if name not in STATED]
    sheets = {
        "信息汇总表": export.table(header, export.rows([less, gone])),
        "发票基础信息": export.table(export.INVOICES, export.invoices([less, gone])),
    }
    outcome = desk.take(export.xlsx_bytes(sheets), name="export.xlsx")
    assert statuses(outcome) == {real("a"): "accepted", real("b"): "rejected"}
    assert {code for _, code in said(outcome)} == {"void_invoice"}
    assert desk.rows("SELECT net_fen, CAST(span AS text) FROM invoice") == [(90000, "[2026-07-01,2026-08-01)")]


@pytest.mark.parametrize("name", ["金额", "备注*", "数电发票号码"])
def test_a_column_that_is_there_twice_stops_the_file(desk: Desk, name: str) -> None:
    """Which of the two holds cannot be told."""
    lines = [[*row, "1.00" if place else name] for place, row in enumerate(LINES)]
    outcome = desk.take(export.csv_bytes(lines), name="export.csv")
    assert (outcome.exit_status, said(outcome)) == (1, [(1, "duplicate_columns")])
    assert f"这些列名重复出现：{name.rstrip('*')}" in outcome.problems[0].message


def test_a_small_quantity_that_is_a_number_is_read(desk: Desk) -> None:
    """A workbook's 0.000001 is shown as 1E-06."""
    at = export.HEADER.index("数量")
    lines: list[list[str | float]] = [list(row) for row in LINES]
    lines[1][at], lines[2][at] = 0.000001, 8000.5
    outcome = desk.take(export.xlsx_bytes({"信息汇总表": lines}), name="export.xlsx")
    assert (counts(outcome), said(outcome)) == ({"accepted": 2}, [])
    found = desk.rows("SELECT CAST(usage_qty AS text) FROM invoice_line ORDER BY line_no")
    assert sorted(row[0].rstrip("0") for row in found) == ["0.000001", "8000.5"]


def test_an_invoice_whose_head_stands_on_its_first_row_only_is_no_smaller_invoice(desk: Desk) -> None:
    head = [
        export.HEADER.index(name) for name in ("数电发票号码", "开票日期", "销方识别号", "购买方名称", "购方识别号")
    ]
    bare = [["" if place in head else cell for place, cell in enumerate(row)] for row in LINES[2:3]]
    outcome = desk.take(export.xlsx_bytes({"信息汇总表": [*LINES[:2], *bare, *LINES[3:]]}), name="export.xlsx")
    assert counts(outcome) == {"rejected": 2}
    assert desk.rows("SELECT number FROM invoice") == []

"""Reports as files: exact amounts, ids as text, nothing that a spreadsheet would run, the same bytes each time."""

import csv
import json
import re
import zipfile
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from reconciliation import plain, workbook
from reconciliation.document import (
    Difference,
    Fact,
    Report,
    Section,
    Value,
    cross_check,
    parse_layout,
    show,
    shown_columns,
)

HEADER = """-- report: 试表
-- grain:  one row per company
-- checks: all
-- params: period_from, period_until (exclusive), cutoff (seal number)
-- basis:  不含税
-- note:   {year}年度
-- balance: all_rows = good + bad
-- columns:
--   name       | 企业     | text    | 20
--   code       | 企业代码 | id      | 20
--   all_rows   | 全部行数 | count   | 6
--   good       | 受理     | count   | 6
--   bad        | 退回     | count   | 6
--   amount_fen | 金额     | money   | 16
--   share_bp   | 占比     | percent | 8
--   paid_on    | 付款日   | day     | 11
SELECT 1
"""
LAYOUT = parse_layout("trial", HEADER)
ROW: tuple[Value, ...] = ("合成公司", "91500000000000000123", 3, 2, 1, 7, 2000, date(2026, 8, 31))
TOTALS: tuple[Value, ...] = (None, None, 3, 2, 1, 7, None, None)


def report(
    *rows: tuple[Value, ...],
    totals: tuple[Value, ...] | None = TOTALS,
    differences: tuple[Difference, ...] = (),
    more: tuple[Section, ...] = (),
) -> Report:
    return Report(
        layout=LAYOUT, period="2026-08", cutoff=42, sealed_at=datetime(2026, 9, 1, 1, 2, 3, tzinfo=UTC),
        digest="ab" * 32,
        face=(Fact("期间", "2026-08"), Fact("编制人", "maker1"), Fact("政策依据", "文件", wide=True)),
        notes=("第一条",), sections=(Section("明细", rows), *more), totals=totals, differences=differences,
    )  # fmt: skip


def xlsx(made: Report, max_rows: int = workbook.MAX_ROWS) -> bytes:
    target = BytesIO()
    workbook.write(made, target, max_rows)
    return target.getvalue()


def cells(data: bytes, sheet: str = "明细") -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(BytesIO(data)).get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def part(data: bytes, name: str) -> str:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return archive.read(name).decode()


def test_the_header_of_the_file_is_the_layout() -> None:
    assert LAYOUT.params == {"period_from", "period_until", "cutoff"}
    assert [column.key for column in LAYOUT.columns][5:] == ["amount", "share", "paid"]
    assert LAYOUT.balances[0].parts == ("good", "bad")


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("-- report: 试表\n", ""),
        ("| count   | 6", "| number  | 6"),
        ("| text    | 20", "| text"),
        ("good + bad", "good + worse"),
    ],
)
def test_a_header_that_lacks_something_is_refused(line: str, other: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_layout("trial", HEADER.replace(line, other))


def test_face_header_rows_totals_and_notes_stand_in_order() -> None:
    rows = cells(xlsx(report(ROW)))
    assert rows[0][0] == "试表　2026-08（明细）"
    assert rows[1][0] == "期间：2026-08　　编制人：maker1"
    assert rows[2][0] == "政策依据：文件"
    assert [str(cell).replace("\n", "") for cell in rows[3]] == [column.title for column in LAYOUT.columns]
    assert rows[4] == ["合成公司", "91500000000000000123", 3, 2, 1, 0.07, 0.2, date(2026, 8, 31)]
    assert rows[5][:6] == ["合计", "", 3, 2, 1, 0.07]
    assert rows[6][0] == "注1：第一条"


@pytest.mark.parametrize(
    ("fen", "digits"),
    [
        (7, "0.07"),
        (-1, "-0.01"),
        (110, "1.10"),
        (0, "0.00"),
        (999_999_999_999_999, "9999999999999.99"),
        (-999_999_999_999_999, "-9999999999999.99"),
    ],
)
def test_an_amount_is_written_digit_by_digit(fen: int, digits: str) -> None:
    data = xlsx(report((*ROW[:5], fen, *ROW[6:])))
    assert f"<v>{digits}</v>" in part(data, "xl/worksheets/sheet1.xml")


def test_an_amount_with_more_digits_than_a_number_holds_is_text() -> None:
    row = (*ROW[:5], 1_000_000_000_000_001, *ROW[6:])
    assert cells(xlsx(report(row)))[4][5] == "10000000000000.01"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "{=1}", "https" + "://x.invalid/", "internal:A1", "12345"]
)
def test_a_text_is_never_a_formula_a_link_or_a_number(text: str) -> None:
    data = xlsx(report((text, text, *ROW[2:])))
    assert cells(data)[4][:2] == [text, text]
    sheet = part(data, "xl/worksheets/sheet1.xml")
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet


@pytest.mark.parametrize(("rows", "pages"), [(1, 1), (34, 1), (35, 2), (90, 3)])
def test_a_few_rows_too_many_make_the_page_smaller_and_no_page_of_their_own(rows: int, pages: int) -> None:
    sheet = part(xlsx(report(*[ROW] * rows)), "xl/worksheets/sheet1.xml")
    told = re.search(r'fitToHeight="(\d+)"', sheet)
    assert (int(told[1]) if told else 1) == pages


def test_the_header_is_frozen_repeated_and_the_page_is_a4_landscape() -> None:
    sheet = part(xlsx(report(ROW)), "xl/worksheets/sheet1.xml")
    assert '<pane xSplit="1" ySplit="4"' in sheet
    assert 'paperSize="9"' in sheet
    assert 'orientation="landscape"' in sheet
    assert 'fitToPage="1"' in sheet
    assert "ab" * 32 in sheet
    names = part(xlsx(report(ROW)), "xl/workbook.xml")
    assert "Print_Titles" in names
    assert "$4:$4" in names


def test_the_same_report_gives_the_same_bytes() -> None:
    made = report(ROW)
    assert xlsx(made) == xlsx(made)
    assert "2026-09-01T01:02:03Z" in part(xlsx(made), "docProps/core.xml")


def test_a_section_too_long_for_a_sheet_goes_on_on_the_next() -> None:
    rows = [(f"第{number}", *ROW[1:]) for number in range(10)]
    data = xlsx(report(*rows), max_rows=4 + 4 + 3)
    names = CalamineWorkbook.from_filelike(BytesIO(data)).sheet_names
    assert names == ["明细1", "明细2", "明细3", "差异"]
    found = [row[0] for name in names[:3] for row in cells(data, name) if re.fullmatch(r"第\d", str(row[0]))]
    assert found == [row[0] for row in rows]
    assert [row[0] for row in cells(data, "明细3")][-2:] == ["合计", "注1：第一条"]
    assert all(len(cells(data, name)) <= 11 for name in names)


def test_a_report_of_many_rows_is_written_without_keeping_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_MANY", 200)
    rows = [(f"第{number}", *ROW[1:]) for number in range(201)]
    found = cells(xlsx(report(*rows)))
    assert len(found) == 4 + 201 + 2
    assert found[204][0] == "第200"


def test_a_row_that_got_lost_fails_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_write_section", lambda *_: 0)
    with pytest.raises(AssertionError, match="0 of 1 rows"):
        xlsx(report(ROW))


def test_later_sheets_leave_out_columns_that_say_nothing_there() -> None:
    by_company = Section("按企业", [(*ROW[:6], None, None)])
    made = report(ROW, more=(by_company,))
    assert shown_columns(made, by_company) == [0, 1, 2, 3, 4, 5]
    assert len(cells(xlsx(made), "按企业")[3]) == 6
    assert cells(xlsx(made), "按企业")[5][0] == "合计"


def test_without_differences_one_line_says_so() -> None:
    assert [row[0] for row in cells(xlsx(report(ROW)), "差异")][-1] == "核对一致，无差异"


def test_differences_are_listed_with_their_act() -> None:
    found = Difference("账户不透支", 7, "money:payable:X", "=余额为-1.00元。")
    rows = cells(xlsx(report(ROW, differences=(found,))), "差异")
    assert rows[-1] == ["账户不透支", "7", "money:payable:X", "=余额为-1.00元。"]


def test_an_empty_report_has_a_header_and_its_notes() -> None:
    rows = cells(xlsx(report(totals=None)))
    assert rows[3][0] == "企业"
    assert (rows[4][0], rows[5][0]) == ("本期没有内容。", "注1：第一条")


def test_csv_has_a_bom_plain_amounts_and_harmless_text() -> None:
    target = BytesIO()
    plain.write_csv(report(("=1+1", *ROW[1:5], -7, *ROW[6:])), target)
    raw = target.getvalue()
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(StringIO(raw.decode("utf-8-sig"), newline="")))
    assert lines[1] == ["'=1+1", "91500000000000000123", "3", "2", "1", "-0.07", "20.00", "2026-08-31"]
    assert lines[2][0] == "合计"
    assert lines[3] == []
    assert ["编制人", "maker1"] in lines
    assert lines[-1] == ["差异", "核对一致，无差异"]


def test_json_has_amounts_and_ids_as_strings() -> None:
    target = BytesIO()
    plain.write_json(report(ROW), target)
    document = json.loads(target.getvalue())
    assert document["rows"] == [
        {
            "name": "合成公司", "code": "91500000000000000123", "all_rows": 3, "good": 2, "bad": 1, "amount": "0.07",
            "share": "20.00", "paid": "2026-08-31",
        }
    ]  # fmt: skip
    assert document["totals"]["amount"] == "0.07"
    assert document["totals"]["name"] is None
    assert document["differences"] == []


def test_rows_totals_and_the_ledgers_figures_are_held_against_each_other() -> None:
    agreed = cross_check(LAYOUT, [ROW], TOTALS, {"amount_fen": 7, "good": None})
    assert agreed == []
    wrong_row = cross_check(LAYOUT, [(*ROW[:2], 4, *ROW[3:])], (None, None, 4, *TOTALS[3:]), {})
    assert [(found.title, found.subject) for found in wrong_row] == [("表内勾稽", "第1行"), ("表内勾稽", "合计行")]
    assert wrong_row[0].detail == "全部行数4，不等于受理2、退回1之和。"
    wrong_total = cross_check(LAYOUT, [ROW, ROW], TOTALS, {})
    assert {found.subject for found in wrong_total} == {"全部行数", "受理", "退回", "金额"}
    wrong_books = cross_check(LAYOUT, [ROW], TOTALS, {"amount_fen": 8})
    assert wrong_books == [Difference("合计与账", None, "金额", "合计为0.07，账上为0.08。")]


def test_what_is_not_there_is_shown_as_nothing() -> None:
    assert [show(column, None) for column in LAYOUT.columns] == [""] * 8

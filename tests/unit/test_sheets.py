"""Rows as Excel counts them, from csv and workbooks, with nothing inferred and nothing dropped unsaid."""

import csv
import io
import os
import re
import subprocess
import sys
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers import sheet_flaws, sheets, workbooks, worker
from importers.limits import ParserLimits
from voucher.problem import Problem


def _csv(folder: Path, text: str) -> list[Any]:
    path = folder / "sample"
    path.write_bytes(text.encode())
    return list(sheets.rows(path, "csv"))


def _cells(folder: Path, text: str) -> list[Any]:
    return [entry if isinstance(entry, Problem) else entry[1:] for entry in _csv(folder, text)]


def test_blank_lines_count_and_are_no_rows(tmp_path: Path) -> None:
    assert _cells(tmp_path, "a,b\n\n1,2\r\n , \r\n3,4") == [(1, ["a", "b"]), (3, ["1", "2"]), (5, ["3", "4"])]


def test_old_macintosh_line_ends_are_line_ends(tmp_path: Path) -> None:
    assert _cells(tmp_path, "a,b\r1,2\r") == [(1, ["a", "b"]), (2, ["1", "2"])]
    assert _cells(tmp_path, 'a,b\r"1",2\r3,4\r') == [(1, ["a", "b"]), (2, ["1", "2"]), (3, ["3", "4"])]


def test_a_line_end_within_quotes_stays_in_its_row(tmp_path: Path) -> None:
    text = 'a,"x\ny, ""z"""\n1,2\n'
    assert _cells(tmp_path, text) == [(1, ["a", 'x\ny, "z"']), (2, ["1", "2"])]


@pytest.mark.parametrize("first", ["合计", "合 计：", " 小计", "总计:", "本页小计"])
def test_a_row_that_sums_is_no_row(tmp_path: Path, first: str) -> None:
    assert _cells(tmp_path, f"甲,1\n,{first},9\n乙,2\n") == [(1, ["甲", "1"]), (3, ["乙", "2"])]


def test_a_name_that_only_begins_like_a_sum_is_a_row(tmp_path: Path) -> None:
    assert _cells(tmp_path, "合计算力公司,1\n") == [(1, ["合计算力公司", "1"])]


@pytest.mark.parametrize(("text", "expected"), [("a\tb\n1\t2\n", ["1", "2"]), ("a;b\n1;2\n", ["1", "2"])])
def test_tabs_and_semicolons_separate_too(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert _cells(tmp_path, text)[1] == (2, expected)


def test_the_unit_separator_within_a_cell_is_lost_not_a_cell(tmp_path: Path) -> None:
    assert _cells(tmp_path, 'a\x1fb,1\n"c\x1fd",2\n') == [(1, ["a?b", "1"]), (2, ["c?d", "2"])]


def test_an_open_quote_ends_the_file_with_the_row_it_began_in(tmp_path: Path) -> None:
    *before, problem = _csv(tmp_path, 'a,b\n1,2\n"3,4\n5,6\n')
    assert [row_no for _, row_no, _ in before] == [1, 2]
    assert (problem.code, problem.severity, problem.row) == ("unterminated_quote", "blocking", 3)


def test_an_open_quote_in_a_large_file_does_not_swallow_it(tmp_path: Path) -> None:
    *before, problem = _csv(tmp_path, 'a,b\n"3,4\n' + "5,6\n" * 100_000)
    assert len(before) == 1
    assert (problem.code, problem.row) == ("record_too_long", 2)


def test_a_record_of_endless_quoted_lines_is_given_up(tmp_path: Path) -> None:
    *_, problem = _csv(tmp_path, "a,b\n" + '"\n",' * 2_000_000)
    assert (problem.code, problem.row) == ("record_too_long", 2)


def test_binary_and_undecodable_files_are_problems(tmp_path: Path) -> None:
    path = tmp_path / "sample"
    for data, code in (
        (b"a,b\0", "not_a_spreadsheet"),
        (b"a\n\xff", "undecodable_text"),
        (b"," * (3 << 20), "record_too_long"),
    ):
        path.write_bytes(data)
        assert [getattr(entry, "code", None) for entry in sheets.rows(path, "csv")] == [code]


@pytest.mark.parametrize("cell", [";;;;;;", "x\ty\tz\tw\tv", '";\n;\n;\n;\n"'])
def test_another_mark_in_a_remark_separates_nothing(tmp_path: Path, cell: str) -> None:
    found = _cells(tmp_path, "合计\na,b,c\n" + f"1,2,{cell}\n" * 3)
    assert [row for _, row in found] == [["a", "b", "c"]] + [["1", "2", cell.strip('"')]] * 3


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\x1f\r"), max_size=8)


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), max_size=8), st.sampled_from(["\n", "\r\n"]), st.booleans())
@settings(print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_table_comes_back_cell_by_cell(tmp_path: Path, table: list[list[str]], ends: str, quoted: bool) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=ends, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerows([["a", "b", "c", "d"], *table])
    found = _cells(tmp_path, text.getvalue())
    assert found == [(1, ["a", "b", "c", "d"])] + [(n, row) for n, row in enumerate(table, 2) if sheets.is_row(row)]


def test_small_blocks_give_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a,b\n" + '1,"x\n\ny"\n2,z\n\n"3","合成，"\n' * 50
    whole = _cells(tmp_path, text)
    for size in (1, 2, 7, 64):
        monkeypatch.setattr(sheets, "_BLOCK_CHARS", size)
        assert _cells(tmp_path, text) == whole


def _book(folder: Path, *tables: tuple[str, list[list[Any]]], at: tuple[int, int] = (0, 0)) -> Path:
    path = folder / "sample"
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"})
    for name, table in tables:
        sheet = book.add_worksheet(name)
        for number, row in enumerate(table, at[0]):
            for place, cell in enumerate(row, at[1]):
                if isinstance(cell, str):
                    sheet.write_string(number, place, cell)
                elif cell is not None:
                    sheet.write(number, place, cell)
    book.close()
    return path


def test_a_workbook_keeps_texts_numbers_days_and_truth_apart(tmp_path: Path) -> None:
    row = ["001", 1, 0.5, date(2026, 8, 1), datetime(2026, 8, 1, 10, 20), True, "=A1", time(10, 20), None, "x"]
    path = _book(tmp_path, ("甲", [row]))
    (found,) = sheets.rows(path, "xlsx")
    assert found == (
        "甲",
        1,
        ["001", 1.0, 0.5, "2026-08-01", "2026-08-01 10:20:00", "TRUE", "=A1", "10:20:00", "", "x"],
    )


def test_rows_and_columns_count_from_the_first_of_the_sheet(tmp_path: Path) -> None:
    path = _book(tmp_path, ("甲", [["a"], [], ["b"]]), at=(3, 2))
    assert list(sheets.rows(path, "xlsx")) == [("甲", 4, ["", "", "a"]), ("甲", 6, ["", "", "b"])]


def test_numbering_goes_on_over_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_XLSX_ROWS", 2)
    path = _book(tmp_path, ("甲", [["a"], ["合计"], [], [], ["b"]]), ("乙", [["c"]]))
    entries = list(sheets.rows(path, "xlsx"))
    assert entries == [("甲", 1, ["a"]), ("甲", 5, ["b"]), ("乙", 1, ["c"])]


def test_a_formula_gives_its_cached_value_or_says_that_it_has_none(tmp_path: Path) -> None:
    path = tmp_path / "sample"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("甲&乙")
    for place, value in enumerate((2, "#DIV/0!", "空", "字")):
        sheet.write_formula(1, 1 + place, "=A1", None, value)
    sheet.write_string(1, 5, "x")
    sheet.write_formula(1, 6, "=A1", None, "没有")
    sheet.write_formula(3, 2, "=A1", None, "#N/A")
    book.close()
    for prefix, error in (("", "#DIV/0!"), ("x:", "#DIV/0!"), ("x:", 0.0)):
        found = _rewritten(path, tmp_path / "other", prefix, without_error=error == 0.0)
        row = ["", 2.0, error, "", "字", "x", "#公式无结果：=A1"]
        assert [entry[1:] for entry in sheets.rows(found, "xlsx")][:1] == [(2, row)]  # type: ignore[index]


def _rewritten(path: Path, target: Path, prefix: str, *, without_error: bool) -> Path:
    """Write a workbook anew as other programs do: a prefix before each name, an empty result, a formula without one."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as packed:
        for entry in source.namelist():
            data = source.read(entry).replace("空".encode(), b"")
            data = data.replace(' t="str"><f>A1</f><v>没有</v>'.encode(), b"><f>A1</f>")
            if without_error:
                data = re.sub(rb' t="e"><f>A1</f><v>[^<]*', b"><f>A1</f><v>0", data)
            if prefix and entry.endswith("sheet1.xml"):
                data = re.sub(rb"<(/?)(\w+)(?=[ />])", rb"<\1x:\2", data).replace(b" xmlns=", b" xmlns:x=")
            packed.writestr(entry, data)
    return target


def test_a_cell_merged_with_the_row_above_says_what_stands_there(tmp_path: Path) -> None:
    path = tmp_path / "sample"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    sheet.merge_range("A1:C2", "标题")
    sheet.merge_range("B4:B6", "甲")
    sheet.merge_range("C4:C5", "")
    sheet.merge_range("A7:B7", "乙")
    for row in range(3, 6):
        sheet.write_string(row, 0, "x")
    book.close()
    found = [entry[1:] for entry in sheets.rows(path, "xlsx")]  # type: ignore[index]
    below = ["x", "#合并单元格：甲"]
    assert found == [(1, ["标题", ""]), (4, ["x", "甲"]), (5, below), (6, below), (7, ["乙", ""])]


def test_merged_ranges_that_cover_more_than_a_sheet_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        sheet_flaws.Flaws("none", "none", [((0, 0), (1_000_000, 0))] * 3)


def test_hidden_sheets_come_last(tmp_path: Path) -> None:
    path = tmp_path / "sample"
    book = xlsxwriter.Workbook(str(path))
    for name in ("旧", "新", "更旧"):
        sheet = book.add_worksheet(name)
        sheet.write_string(0, 0, name)
        if name == "旧":
            sheet.hide()
        if name == "新":
            sheet.activate()
    book.close()
    assert [entry[0] for entry in sheets.rows(path, "xlsx")] == ["新", "更旧", "旧"]  # type: ignore[index]


def test_the_head_of_a_workbook_is_read_once(tmp_path: Path) -> None:
    path = _book(tmp_path, ("甲", [["a"]] * 30), ("乙", [["c"]]))
    assert [(sheet, row_no) for sheet, row_no, _ in sheets.head(path, "xlsx")] == [("甲", n) for n in range(1, 11)] + [
        ("乙", 1)
    ]
    assert len(sheets._kept) == 1
    assert len(list(sheets.rows(path, "xlsx"))) == 31
    assert not sheets._kept
    assert len(list(sheets.rows(path, "xlsx"))) == 31


def test_the_head_of_a_csv_is_its_first_ten_lines(tmp_path: Path) -> None:
    (tmp_path / "sample").write_bytes(b"x\n\n" * 20)
    assert [row_no for _, row_no, _ in sheets.head(tmp_path / "sample", "csv")] == [1, 3, 5, 7, 9]


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16"])
def test_a_wrong_byte_far_behind_the_head_is_found_when_all_is_read(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "sample"
    path.write_bytes(
        "名称,1\n".encode(codec) + "合成,1\n".encode("utf-16-le" if codec == "utf-16" else codec) * 300_000
    )
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size - 40_000)
        file.write(b"\x00\xd8\x00\xd8" if codec == "utf-16" else b"\xff\xff\xff\xff")
    assert next(iter(sheets.head(path, "csv")))[2] == ["名称", "1"]
    (problem,) = sheets.rows(path, "csv")
    assert getattr(problem, "code", "") in ("undecodable_text", "not_a_spreadsheet")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, b"\xd0\xcf\x11\xe0" * 200])
def test_what_is_no_workbook_is_a_problem(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "sample").write_bytes(data)
    (problem,) = sheets.rows(tmp_path / "sample", "xlsx")
    assert isinstance(problem, Problem)
    assert problem.code == "not_a_spreadsheet"


def _with_row(path: Path, row: bytes) -> Path:
    """Put another row into the first sheet of a workbook."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b"<sheetData>" in parts[sheet]
    parts[sheet] = parts[sheet].replace(b"<sheetData>", b"<sheetData>" + row)
    with zipfile.ZipFile(path, "w") as book:
        for name, data in parts.items():
            book.writestr(name, data)
    return path


@pytest.mark.parametrize("reference", [b"A1234567890", b"ZZZZZZ999999999"])
def test_a_workbook_that_ends_its_reader_ends_a_child_and_the_next_is_read(tmp_path: Path, reference: bytes) -> None:
    """An abort and a panic. The guard lets no such file through; this is the wall behind it."""
    bad = _with_row(_book(tmp_path, ("甲", [["a"]])), b'<row><c r="' + reference + b'"><v>1</v></c></row>')
    for _ in range(2):
        (problem,) = sheets.rows(bad, "xlsx")
        assert isinstance(problem, Problem)
        assert problem.code == "not_a_spreadsheet"
        assert list(sheets.head(bad, "xlsx")) == []
    assert not sheets._kept
    assert list(sheets.rows(_book(tmp_path, ("甲", [["a"]])), "xlsx")) == [("甲", 1, ["a"])]


def test_who_leaves_the_head_early_reads_the_rest_from_its_beginning(tmp_path: Path) -> None:
    path = _book(tmp_path, ("甲", [["a"], ["b"]]), ("乙", [["c"]]))
    begun = sheets.head(path, "xlsx")
    assert next(begun) == ("甲", 1, ["a"])
    begun.close()  # type: ignore[attr-defined]
    assert [row[2] for row in sheets.rows(path, "xlsx") if not isinstance(row, Problem)] == [["a"], ["b"], ["c"]]


def test_a_workbook_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    """A pipe that nobody writes to never opens."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(worker.Stopped, match="超过0秒"):
        workbooks.Book(tmp_path / "pipe", ParserLimits(wall_seconds=0))
    assert list(sheets.rows(_book(tmp_path, ("甲", [["a"]])), "xlsx")) == [("甲", 1, ["a"])]


def test_who_stops_reading_leaves_no_answer_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_XLSX_ROWS", 1)
    path = _book(tmp_path, ("甲", [["a"], ["b"], ["c"]]))
    for _ in range(2):
        begun = sheets.rows(path, "xlsx")
        assert next(begun) == ("甲", 1, ["a"])
        begun.close()  # type: ignore[attr-defined]
    assert [row[2] for row in sheets.rows(path, "xlsx") if not isinstance(row, Problem)] == [["a"], ["b"], ["c"]]


def test_nobody_but_the_child_opens_a_workbook() -> None:
    code = "import sys, importers.accept, importers.registry; print('python_calamine' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"

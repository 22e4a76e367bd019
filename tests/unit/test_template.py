"""The template CQ-COMPUTE-1: golden samples, rules row by row, and no bytes that make the reader raise."""

import importlib.util
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers import guard
from importers.chunks import ParsedChunk, copy_lines
from importers.columns import STAGED
from importers.formats import cq_compute_1
from importers.outcome import OUTCOMES, Outcome
from voucher.problem import Problem

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "cq_compute_1"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_cq_compute_1", FOLDER / "samples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


samples = _load()
Read = Callable[[Sequence[Sequence[str]]], tuple[list[ParsedChunk], list[Problem]]]


def _expected(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("name", sorted(samples.SAMPLES))
def test_a_golden_sample_gives_what_stands_beside_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "without_suffix"
    samples.SAMPLES[name](path)
    if name.endswith(".csv"):
        assert path.read_bytes() == (FOLDER / name).read_bytes()
    assert guard.check_file(path) == []
    assert samples.result(path, guard.kind_by_content(path)) == _expected(name)


def test_every_golden_sample_has_its_result_and_no_result_is_left_over() -> None:
    assert {path.name.removesuffix(".json") for path in FOLDER.glob("*.json")} == set(samples.SAMPLES)


def test_the_encoding_and_the_kind_of_file_leave_no_trace_in_the_content() -> None:
    clean = _expected("clean.csv")
    assert clean["problems"] == []
    for name in ("clean_bom.csv", "clean_gb18030.csv", "clean_utf16.csv"):
        assert _expected(name) == clean
    numbers = _expected("numbers.xlsx")["rows"]
    assert numbers[0]["digest"] == numbers[2]["digest"] == clean["rows"][0]["digest"]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def work(rows: Sequence[Sequence[str]]) -> tuple[list[ParsedChunk], list[Problem]]:
        path = tmp_path / "sample"
        path.write_bytes(samples._csv([samples.HEADER, *rows]).encode())
        items = list(cq_compute_1.read(path, "csv", today=samples.TODAY))
        chunks = [item for item in items if isinstance(item, ParsedChunk)]
        problems = [p for chunk in chunks for p in chunk.problems] + [p for p in items if isinstance(p, Problem)]
        return chunks, problems

    return work


def _codes(read: Read, **changed: str) -> list[str]:
    return [problem.code for problem in read([samples.row(**changed)])[1]]


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        ("2026-08-01", "2026-08-01", []),
        ("2026-08-02", "2026-08-01", ["span_reversed"]),
        ("", "", []),
        ("2026-08-01", "", ["span_half_given"]),
        ("", "2026-08-01", ["span_half_given"]),
        ("2016-08-02", "2026-08-01", []),
        ("2016-08-01", "2026-08-01", ["span_too_long"]),
        ("2016-02-29", "2026-02-28", []),
        ("2016-02-29", "2026-03-01", ["span_too_long"]),
        ("x", "2026-08-01", ["bad_day"]),
        ("2026-08-01", "2026-08-32", ["bad_day"]),
        ("x", "", ["bad_day"]),
    ],
)
def test_a_span_is_at_most_ten_years_and_runs_forwards(read: Read, first: str, last: str, code: list[str]) -> None:
    assert _codes(read, 服务起始日=first, 服务截止日=last) == code


@pytest.mark.parametrize(("day", "code"), [("2026-09-10", []), ("2026-09-11", ["issued_in_future"])])
def test_an_invoice_is_issued_today_at_the_latest(read: Read, day: str, code: list[str]) -> None:
    assert _codes(read, 开票日期=day) == code


@pytest.mark.parametrize(
    ("net", "tax", "gross", "code"),
    [
        ("94339.62", "5660.38", "100000.00", []),
        ("94339.62", "5660.38", "100000.01", ["sum_differs"]),
        ("94339.62", "5660.43", "100000.05", ["tax_rate_differs"]),
        ("94339.62", "5660.42", "100000.04", []),
        ("100.00", "6.05", "106.05", []),
        ("100.00", "6.06", "106.06", ["tax_rate_differs"]),
        ("100.00", "5.95", "105.95", []),
        ("100.00", "5.94", "105.94", ["tax_rate_differs"]),
        ("-100.00", "-6.05", "-106.05", []),
        ("0", "0", "0", []),
        ("0", "0", "0.01", ["sum_differs"]),
    ],
)
def test_the_sum_is_exact_and_the_rate_within_five_fen(
    read: Read, net: str, tax: str, gross: str, code: list[str]
) -> None:
    assert _codes(read, 不含税金额=net, 税额=tax, 价税合计=gross) == code


def test_one_bad_row_does_not_hide_another_ones_sum(read: Read) -> None:
    rows = [samples.row(价税合计="x"), samples.row(价税合计="1.00"), samples.row(税率="")]
    _, problems = read(rows)
    assert [(p.row, p.code) for p in problems] == [(2, "bad_amount"), (3, "sum_differs")]


@pytest.mark.parametrize(
    ("net", "tax", "gross", "codes"),
    [
        ("-0.01", "0", "-0.01", []),
        ("0", "0", "0", ["red_not_negative"] * 2),
        ("-100", "6", "-94", ["red_not_negative"]),
        ("100", "-200", "-100", ["red_not_negative"]),
    ],
)
def test_a_red_row_is_negative(read: Read, net: str, tax: str, gross: str, codes: list[str]) -> None:
    amounts = {"不含税金额": net, "税额": tax, "价税合计": gross, "税率": ""}
    assert _codes(read, 发票类型="红字", 原发票号码="26502000000099900009", **amounts) == codes


def test_the_first_sheet_with_rows_is_read_and_the_next_one_is_told_and_wants_a_look(tmp_path: Path) -> None:
    path = tmp_path / "sample"
    with xlsxwriter.Workbook(str(path)) as book:
        for rows in ([], [samples.row()], [samples.row()]):
            sheet = book.add_worksheet()
            for place, cells in enumerate([samples.HEADER, *rows]):
                sheet.write_row(place, 0, cells)
    items = list(cq_compute_1.read(path, "xlsx", today=samples.TODAY))
    problems = [item for item in items if isinstance(item, Problem)]
    assert [(item.sheet, len(item)) for item in items if isinstance(item, ParsedChunk)] == [("Sheet2", 1)]
    assert [(problem.sheet, problem.code) for problem in problems] == [("Sheet3", "other_sheet_ignored")]
    taken = Outcome(1, "", "", 1, dict.fromkeys(OUTCOMES, 0) | {"accepted": 1}, (), problems)
    assert (taken.exit_status, replace(taken, problems=()).exit_status) == (3, 0)


OLD = samples.HEADER[:-1]


@pytest.mark.parametrize(
    ("sheets", "read", "told"),
    [
        ([[samples.HEADER, samples.row()], [OLD, samples.row()[:-1]], [["说明"]]], 1, ["other_sheet_ignored"]),
        ([[OLD, samples.row()[:-1]], [samples.HEADER, samples.row()]], 1, ["other_sheet_ignored"]),
        ([[samples.HEADER, samples.row()], [samples.row()], [OLD]], 1, ["other_sheet_ignored"]),
        ([[samples.HEADER], [OLD, samples.row()[:-1]]], 0, ["missing_columns"]),
        ([[samples.HEADER], [OLD]], 0, ["no_rows"]),
    ],
)
def test_a_sheet_with_rows_is_read_or_said(
    sheets: list[list[list[str]]], read: int, told: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "sample"
    with xlsxwriter.Workbook(str(path)) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for place, cells in enumerate(rows):
                sheet.write_row(place, 0, cells)
    items = list(cq_compute_1.read(path, "xlsx", today=samples.TODAY))
    assert sum(len(item) for item in items if isinstance(item, ParsedChunk)) == read
    assert [item.code for item in items if isinstance(item, Problem)] == told


def test_a_signature_below_the_table_is_one_problem(read: Read) -> None:
    blank = dict.fromkeys(samples.HEADER, "")
    assert _codes(read, **blank | {"模板版本": "填表人：张三", "供方名称": "审核：李四"}) == ["not_a_line"]
    assert _codes(read, 发票号码="", 不含税金额="", 税额="") == ["required"] * 3


def test_a_red_row_names_its_original(read: Read) -> None:
    amounts = {"不含税金额": "-100.00", "税额": "-6.00", "价税合计": "-106.00"}
    assert _codes(read, 发票类型="红字", **amounts) == ["red_needs_original"]
    assert _codes(read, 发票类型="红字", 原发票号码="1", **amounts) == ["bad_invoice_number"]


def test_a_remark_says_the_days_and_the_original_that_the_cells_do_not(read: Read, tmp_path: Path) -> None:
    """The remark stands on one row of an invoice only, in either encoding; what a cell says goes before it."""
    none = {"服务起始日": "", "服务截止日": ""}
    first, second = (samples.row(发票号码="26502000000000000011", 项目名称=item, **none) for item in ("甲", "乙"))
    first[-1] = "账期202605"
    red = {
        "发票号码": "26502000000000000015",
        "发票类型": "红字",
        "不含税金额": "-1.00",
        "税额": "-0.06",
        "价税合计": "-1.06",
        "原发票号码": "",
    }
    rows = [
        first,
        second,
        samples.row(发票号码="26502000000000000012", 备注="服务期间：2026-03-02至2026-03-31", **none),
        samples.row(
            发票号码="26502000000000000013", 备注="2026年3月", 服务起始日="2026-07-01", 服务截止日="2026-07-02"
        ),
        samples.row(发票号码="26502000000000000014", 备注="按合同", **none),
        samples.row(备注="被红冲蓝字数电发票号码：26502000000000000012", **red, **none),
        samples.row(项目名称="乙", **red, **none),
        samples.row(发票号码="26502000000000000016", 备注="2026年3月", 服务起始日="", 服务截止日="2026-03-31"),
    ]
    path = tmp_path / "gb18030"
    chunks, problems = read(rows)
    said = list(zip(chunks[0].column("service_from"), chunks[0].column("service_until"), strict=True))
    month = ("2026-05-01", "2026-05-31")
    assert said == [
        month, month, ("2026-03-02", "2026-03-31"), ("2026-07-01", "2026-07-02"), (None, None), (None, None),
        (None, None), (None, "2026-03-31"),
    ]  # fmt: skip
    assert chunks[0].column("original_number")[5:7] == ["26502000000000000012"] * 2
    assert [(problem.code, problem.row) for problem in problems] == [("span_half_given", 9)]
    path.write_bytes(samples._csv([samples.HEADER, *rows]).encode("gb18030"))
    (chunk,) = (i for i in cq_compute_1.read(path, "csv", today=samples.TODAY) if isinstance(i, ParsedChunk))
    assert list(zip(chunk.column("service_from"), chunk.column("service_until"), strict=True)) == said
    assert chunk.digests == chunks[0].digests


def test_rows_whose_remarks_disagree_say_nothing(read: Read) -> None:
    none = {"服务起始日": "", "服务截止日": ""}
    amounts = {"不含税金额": "-1.00", "税额": "-0.06", "价税合计": "-1.06", "原发票号码": ""}
    red = {"发票号码": "26502000000000000015", "发票类型": "红字", **amounts}
    rows = [
        samples.row(发票号码="26502000000000000011", 项目名称="甲", 备注="账期202605", **none),
        samples.row(发票号码="26502000000000000011", 项目名称="乙", 备注="账期202606", **none),
        samples.row(备注="被红冲蓝字数电发票号码：26502000000000000012", **red, **none),
        samples.row(项目名称="乙", 备注="被红冲蓝字数电发票号码：26502000000000000013", **red, **none),
    ]
    (chunk,), _ = read(rows)
    for column in ("service_from", "service_until", "original_number"):
        assert chunk.column(column) == [None] * 4


@pytest.mark.parametrize("column", ["合同编号", "规格型号", "计量单位", "用量", "税率", "已付金额", "备注"])
def test_these_cells_may_be_empty(read: Read, column: str) -> None:
    chunks, problems = read([samples.row(**{column: " "})])
    assert problems == []
    assert not chunks[0].failed


@pytest.mark.parametrize("column", [c.name for c in cq_compute_1.COLUMNS if c.required])
def test_these_cells_must_be_given(read: Read, column: str) -> None:
    chunks, problems = read([samples.row(**{column: "\u3000"})])
    assert [(p.code, p.column) for p in problems] == [("required", column)]
    assert chunks[0].failed == {0}


def test_a_warning_alone_does_not_fail_a_row(read: Read) -> None:
    chunks, problems = read([samples.row(用方统一社会信用代码="91500000MA5U00035F", 税率="六")])
    assert [p.severity for p in problems] == ["warning"] * 2
    assert not chunks[0].failed


def test_every_problem_of_a_row_is_told_in_the_order_of_rows(read: Read) -> None:
    wrong = samples.row(开票日期="x", 税收分类编码="1", 税额="y")
    _, problems = read([wrong, samples.row(), wrong])
    assert [p.row for p in problems] == [2, 2, 2, 4, 4, 4]
    assert {p.invoice_number for p in problems} == {"26502000000099900001"}


def test_a_formula_is_only_a_text(read: Read) -> None:
    chunks, problems = read([samples.row(备注='=HYPERLINK("x","y")', 项目名称="=1+1")])
    assert problems == []
    assert chunks[0].column("remark") == ['=HYPERLINK("x","y")']


def test_each_typed_value_counts_for_the_digest_and_its_spelling_does_not(read: Read) -> None:
    other = {
        "发票号码": "26502000000099900009",
        "发票类型": "红字",
        "开票日期": "2026-09-04",
        "供方名称": "合成甲",
        "用方名称": "合成乙",
        "合同编号": "HT-2",
        "服务起始日": "2026-08-02",
        "服务截止日": "2026-08-30",
        "税收分类编码": "3040201000000000000",
        "项目名称": "x",
        "规格型号": "y",
        "计量单位": "z",
        "用量": "1",
        "不含税金额": "1",
        "税率": "3%",
        "税额": "2",
        "价税合计": "3",
        "已付金额": "",
        "原发票号码": "26502000000099900002",
        "备注": "",
        "供方统一社会信用代码": "91500000MA5U00035F",
        "用方统一社会信用代码": "91500000MA5U00035F",
    }
    assert len(other) == len(STAGED)
    chunks, _ = read([samples.row(), *(samples.row(**{name: value}) for name, value in other.items())])
    assert len(set(chunks[0].digests)) == len(STAGED) + 1
    same = samples.row(
        开票日期="2026年9月3日", 不含税金额="94,339.62", 税率="0.06", 用量="1200.50", 合同编号=" HT-2026-001 "
    )
    assert read([same])[0][0].digests[0] == chunks[0].digests[0]


def test_a_large_file_comes_in_chunks_with_running_row_numbers(read: Read) -> None:
    chunks, problems = read([samples.row(发票号码=f"2650200{n:012d}1") for n in range(3000)])
    assert problems == []
    assert len(chunks) > 1
    assert [row_no for chunk in chunks for row_no in chunk.row_nos] == list(range(2, 3002))
    assert [number for chunk in chunks for number in chunk.column("invoice_number")] == [
        f"2650200{n:012d}1" for n in range(3000)
    ]


def _survives(path: Path, kind: str) -> None:
    for item in cq_compute_1.read(path, kind, today=date(2026, 9, 10)):
        if isinstance(item, ParsedChunk):
            assert copy_lines(item, 7).decode().count("\n") == len(item)
        else:
            assert item.message


HEAD = ",".join(samples.HEADER).encode() + b"\n"
LINE = ",".join(samples.row()).encode()


@given(st.binary(max_size=400), st.sampled_from([b"", HEAD, HEAD + LINE[:-3], HEAD + LINE + b"\n" + LINE[:40]]))
@settings(print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
def test_no_bytes_make_the_reader_raise(tmp_path: Path, data: bytes, start: bytes) -> None:
    path = tmp_path / "sample"
    path.write_bytes(start + data)
    for kind in ("csv", "xlsx", guard.kind_by_content(path)):
        _survives(path, kind)


@given(st.lists(st.lists(st.text(max_size=6) | st.sampled_from(samples.row()), max_size=26), max_size=5))
@settings(print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
def test_no_cells_make_the_reader_raise(tmp_path: Path, rows: list[list[str]]) -> None:
    path = tmp_path / "sample"
    path.write_bytes(samples._csv([samples.HEADER, *rows]).encode("utf-8", "replace"))
    _survives(path, "csv")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("book") / "numbers.xlsx"
    samples.SAMPLES["numbers.xlsx"](path)
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist() if not name.startswith("docProps")}


@given(st.data())
@settings(print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
def test_no_broken_workbook_makes_the_reader_raise(
    tmp_path: Path, parts: dict[str, bytes], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(parts)))
    part = bytearray(parts[name])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(part)))
        part[at : at + data.draw(st.integers(0, 9))] = data.draw(
            st.binary(max_size=9) | st.sampled_from([b"-1", b"9" * 9])
        )
    path = tmp_path / "sample"
    with zipfile.ZipFile(path, "w") as book:
        for each, content in (parts | {name: bytes(part)}).items():
            book.writestr(each, content)
    if not guard.check_file(path):
        _survives(path, "xlsx")

"""The return file goes back in as it is, once corrected."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from python_calamine import CalamineWorkbook

from importers import guard, returns
from importers.chunks import ParsedChunk
from importers.columns import RETURN_COLUMNS
from importers.formats import cq_compute_1
from importers.messages import make
from importers.sheets import UNIT
from voucher.problem import Problem

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "cq_compute_1" / "samples.py"


@pytest.fixture(scope="module")
def samples() -> Any:
    spec = importlib.util.spec_from_file_location("golden_for_returns", GOLDEN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _read(path: Path, today: Any) -> tuple[list[ParsedChunk], list[Problem]]:
    items = list(cq_compute_1.read(path, guard.kind_by_content(path), today=today))
    chunks = [item for item in items if isinstance(item, ParsedChunk)]
    return chunks, [p for item in items for p in (item.problems if isinstance(item, ParsedChunk) else [item])]


ROW = {"sheet": "", "row_no": 2, "outcome": "rejected", "invoice_number": "", "cells": "1"}


def _failing(chunks: list[ParsedChunk]) -> Iterator[dict[str, Any]]:
    for chunk in chunks:
        for index in sorted(chunk.failed):
            cells = UNIT.join(chunk.raw_cells(index))
            yield {**ROW, "sheet": chunk.sheet, "row_no": chunk.row_nos[index], "cells": cells}


def _table(path: Path) -> list[list[str]]:
    book = CalamineWorkbook.from_path(path)
    return [[str(cell) for cell in row] for row in book.get_sheet_by_index(0).to_python()]


def test_a_return_file_says_what_is_wrong_and_goes_back_in_corrected(tmp_path: Path, samples: Any) -> None:
    wrong = samples.row(价税合计="100000.01", 备注="=HYPERLINK(1)", 税额="y")
    source = tmp_path / "source.csv"
    source.write_bytes(samples._csv([samples.HEADER, samples.row(), wrong, samples.row(发票号码="2.65E+19")]).encode())
    chunks, problems = _read(source, samples.TODAY)
    back = tmp_path / "back.xlsx"
    assert returns.write(back, chunks[0].header.cells, _failing(chunks), problems) == 2

    head, first, second = _table(back)
    assert head == [*samples.HEADER, *RETURN_COLUMNS]
    assert first[:-3] == wrong
    assert first[-3:-1] == ["3", "bad_amount"]
    assert second[-3:-1] == ["4", "number_lost"]
    assert first[-1] == problems[0].message

    assert guard.check_file(back) == []
    again, same = _read(back, samples.TODAY)
    assert [p.code for p in same] == ["bad_amount", "number_lost"]
    assert [p.row for p in same] == [2, 3]
    twice = tmp_path / "twice.xlsx"
    returns.write(twice, again[0].header.cells, _failing(again), same)
    assert _table(twice)[0] == head
    assert [row[:-3] for row in _table(twice)[1:]] == [first[:-3], second[:-3]]

    mended = tmp_path / "mended.csv"
    rows = [head, [*samples.row(), "3", "bad_amount", "x"], [*samples.row(), "4", "", ""]]
    mended.write_bytes(samples._csv(rows).encode())
    good, none = _read(mended, samples.TODAY)
    assert none == []
    assert set(good[0].digests) == {chunks[0].digests[0]}


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [{**ROW, "outcome": "held", "cells": UNIT.join(("1", "甲\n乙"))}]
    for name in ("a", "b"):
        returns.write(tmp_path / name, ["发票号码", "备注"], rows, [make("required", row=2, column="备注")])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_row_without_problems_says_how_it_ended(tmp_path: Path) -> None:
    rows = [{**ROW, "outcome": "held"}]
    returns.write(tmp_path / "a", ["发票号码", "备注"], rows, [make("required", row=2, sheet="别的表")])
    assert _table(tmp_path / "a")[1] == ["1", "", "2", "held", "暂存待补"]


def test_a_row_that_no_problem_names_has_those_of_its_invoice(tmp_path: Path) -> None:
    rows = [{**ROW, "row_no": n, "invoice_number": number} for n, number in ((2, "7"), (3, "7"), (4, "8"))]
    first = make("service_span_missing", row=2, invoice_number="7")
    returns.write(tmp_path / "a", ["发票号码"], rows, [first])
    assert [row[-1] for row in _table(tmp_path / "a")[1:]] == [first.message, first.message, "未受理"]


def test_all_problems_of_a_row_stand_in_one_cell_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    rows = [{**ROW, "sheet": "s", "row_no": 9, "cells": UNIT.join(("=1+1", "000123"))}]
    problems = [make("required", row=9, sheet="s", column=name) for name in ("甲", "乙")]
    returns.write(tmp_path / "a", ["公式", "编号"], rows, problems)
    _, row = _table(tmp_path / "a")
    assert row[:4] == ["=1+1", "000123", "9", "required"]
    assert row[4] == "\n".join(problem.message for problem in problems)


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returns, "ROWS_PER_SHEET", 2)
    rows = [{**ROW, "row_no": n, "cells": str(n)} for n in range(2, 7)]
    assert returns.write(tmp_path / "a", ["发票号码"], rows, []) == 5
    book = CalamineWorkbook.from_path(tmp_path / "a")
    assert [len(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names] == [3, 3, 2]


def test_the_wrong_cells_of_a_row_are_coloured_and_no_others(tmp_path: Path) -> None:
    target = tmp_path / "退回.xlsx"
    rows = [{**ROW, "row_no": no, "invoice_number": "n", "cells": UNIT.join("abc")} for no in (2, 3)]
    wrong = make("bad_amount", row=2, column="税额", value="b", invoice_number="n")
    returns.write(target, ["发票号码", "税额", "备注"], rows, [wrong])
    with ZipFile(target) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    shapes = dict(re.findall(r'<c r="([A-C][23])" s="(\d+)"', sheet))
    assert [cell for cell in sorted(shapes) if shapes[cell] != shapes["A2"]] == ["B2"]


def test_two_files_of_one_name_are_told_apart_in_one_return_file(tmp_path: Path) -> None:
    parts = [("发票.xml", ["甲"], [ROW], [make(code, row=2)]) for code in ("bad_total", "capitals_differ")]
    assert returns.write_all(tmp_path / "back.xlsx", parts) == [(tmp_path / "back.xlsx", 2)]
    _, *rows = CalamineWorkbook.from_path(str(tmp_path / "back.xlsx")).get_sheet_by_index(0).to_python()
    assert [row[:3] for row in rows] == [
        ["1", "发票.xml 第2行", "bad_total"],
        ["1", "发票.xml 第2行", "capitals_differ"],
    ]

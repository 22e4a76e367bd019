"""COPY lines come back from a database as they were, and raw rows as they were uploaded."""

import re
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.cells import Cell, Value
from importers.chunks import ChunkParser, Finding, Values, bodies_of, copy_lines, digest, finish
from importers.columns import STAGED, Column, Header, match_header
from importers.sheets import UNIT, Batch
from importers.text import wire

COLUMNS = (Column("发票号码", "invoice_number", "id", True), Column("合同编号", "contract_no", "reference"),
           Column("备注", "remark", "text"), Column("税额", "tax_fen", "money"))  # fmt: skip
TODAY = date(2026, 9, 10)
NUMBER = "26502000000099900001"


def _no_rules(_values: Values, _today: date) -> Sequence[Finding]:
    return ()


def _header() -> Header:
    return match_header(COLUMNS, "表", 1, [column.name for column in COLUMNS])


def _uncopy(data: bytes) -> list[list[str | None]]:
    """Read COPY text as PostgreSQL does."""
    known = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r", "N": None}
    lines = data.decode().split("\n")
    assert lines.pop() == ""
    return [
        [None if field == "\\N" else re.sub(r"\\(.)", lambda m: known[m[1]] or "", field) for field in line.split("\t")]
        for line in lines
    ]


def _values(size: int, **columns: Sequence[Value]) -> dict[str, Sequence[Value]]:
    return {staged.name: [None] * size for staged in STAGED} | columns


TEXT = st.text(st.characters(codec="utf-8"), max_size=6)


@given(
    st.lists(st.lists(TEXT | st.sampled_from(["\\N", "\\", "a\tb", "x\ny", "|"]), min_size=4, max_size=4), max_size=5)
)
def test_copy_gives_back_the_raw_row_and_the_typed_fields(rows: list[list[str]]) -> None:
    cells: list[list[Cell]] = [list(row) for row in rows]
    chunk = ChunkParser(COLUMNS, _header(), _no_rules, TODAY).parse(
        Batch("表", range(2, 2 + len(rows)), None, cells, "utf-8")
    )
    table = _uncopy(copy_lines(chunk, 7))
    assert len(table) == len(rows)
    for index, (row, fields) in enumerate(zip(rows, table, strict=True)):
        assert fields[:3] == ["7", "表", str(index + 2)]
        raw = (fields[3] or "").split(UNIT)
        assert [re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "?", cell) for cell in row] == raw == chunk.raw_cells(index)
        assert fields[4] == chunk.digests[index]
        typed = [None if chunk.column(s.name)[index] is None else str(chunk.column(s.name)[index]) for s in STAGED]
        assert fields[5:-1] == typed
        assert fields[-1] == ("t" if index in chunk.failed else "f")


@given(st.lists(st.lists(TEXT.filter(lambda cell: UNIT not in cell), min_size=4, max_size=4), min_size=1, max_size=5))
def test_text_on_the_wire_gives_the_same_bytes(rows: list[list[str]]) -> None:
    cells: list[list[Cell]] = [list(row) for row in rows]
    numbers = range(2, 2 + len(rows))
    plain = ChunkParser(COLUMNS, _header(), _no_rules, TODAY).parse(Batch("表", numbers, None, cells, "utf-8"))
    lines = [wire(UNIT.join(row), "latin-1") for row in rows]
    wired = ChunkParser(COLUMNS, _header(), _no_rules, TODAY, "latin-1").parse(
        Batch("表", numbers, lines, None, "latin-1")
    )
    assert copy_lines(wired, 7) == copy_lines(plain, 7)
    assert wired.problems == plain.problems
    assert wired.column("remark") == plain.column("remark")


def test_a_row_too_long_or_too_short_is_its_only_problem_and_keeps_its_number() -> None:
    rows: list[list[Cell]] = [[NUMBER, "H|T"], [NUMBER, "HT", "", "1", "2"], [NUMBER, "HT", "", "1", " ", ""]]
    chunk = ChunkParser(COLUMNS, _header(), _no_rules, TODAY).parse(Batch("表", [2, 3, 5], None, rows, "utf-8"))
    assert [(p.row, p.code, p.value, p.invoice_number) for p in chunk.problems] == [
        (2, "too_few_cells", "2", NUMBER),
        (3, "too_many_cells", "5", NUMBER),
    ]
    assert chunk.failed == {0, 1}
    assert chunk.raw_cells(1) == ["26502000000099900001", "HT", "", "1", "2"]


def test_numeric_cells_are_kept_as_excel_shows_them() -> None:
    rows: list[list[Cell]] = [[26502000000099900001.0, "", "", 0.1 + 0.2], [NUMBER, "", "", ""]]
    chunk = ChunkParser(COLUMNS, _header(), _no_rules, TODAY).parse(Batch("表", [2, 3], None, rows, "utf-8"))
    assert chunk.raw_cells(0) == ["2.65020000000999E+19", "", "", "0.3"]
    assert chunk.column("tax_fen") == [30, None]
    assert [(p.code, p.invoice_number) for p in chunk.problems] == [("number_lost", "2.65020000000999E+19")]


def test_an_empty_chunk_copies_nothing() -> None:
    chunk = ChunkParser(COLUMNS, _header(), _no_rules, TODAY).parse(Batch("表", [], None, [], "utf-8"))
    assert (len(chunk), copy_lines(chunk, 7)) == (0, b"")


def test_a_format_that_is_no_table_makes_the_same_chunk() -> None:
    values = _values(1, invoice_number=[NUMBER], contract_no=["HT"], tax_fen=[100])
    made = finish(_header(), [2], [UNIT.join((NUMBER, "HT", "", "1"))], values, [])
    rows: list[list[Cell]] = [[NUMBER, "HT", "", "1"]]
    read = ChunkParser(COLUMNS, _header(), _no_rules, TODAY).parse(Batch("表", [2], None, rows, "utf-8"))
    assert copy_lines(made, 7) == copy_lines(read, 7)


@given(st.lists(st.tuples(st.none() | TEXT, st.none() | st.integers()), min_size=1, max_size=4))
def test_the_body_does_not_depend_on_the_neighbours_of_a_row(rows: list[tuple[str | None, int | None]]) -> None:
    texts = [None if text is None else re.sub(r"[\t\n\r]", " ", text) for text, _ in rows]
    amounts = [amount for _, amount in rows]
    together = bodies_of(_values(len(rows), remark=texts, net_fen=amounts))
    alone = [bodies_of(_values(1, remark=[t], net_fen=[a]))[0] for t, a in zip(texts, amounts, strict=True)]
    assert together == alone
    assert len(set(digest(together))) == len(set(zip(texts, amounts, strict=True)))


@pytest.mark.parametrize("bodies", [[], ["a"], ["a", "", "a"]])
def test_a_digest_is_32_hex_digits_per_row(bodies: list[str]) -> None:
    found = digest(bodies)
    assert [len(each) for each in found] == [32] * len(bodies)
    assert found == [digest([body])[0] for body in bodies]

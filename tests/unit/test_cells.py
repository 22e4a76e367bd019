"""One cell, one typed value or one problem code."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers import cells
from importers.columns import Column, ColumnReader, ColumnType
from importers.usage_cells import PARTS, read_parts


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        ("26502000000099900001", "26502000000099900001", None),
        (" ２6502000000099900001 ", "26502000000099900001", None),
        ("'26502000000099900001", "26502000000099900001", None),
        ("5000212130-00012345", "5000212130-00012345", None),
        ("050002121300-00012345", "050002121300-00012345", None),
        ("5000212130－00012345", "5000212130-00012345", None),
        ("05000212130000012345", "050002121300-00012345", None),
        ("00000000000000012345", "00000000000000012345", None),
        ("", None, None),
        ("2650200000009990000", None, "bad_invoice_number"),
        ("265020000000999000011", None, "bad_invoice_number"),
        ("50002121301-00012345", None, "bad_invoice_number"),
        ("00012345", None, "bad_invoice_number"),
        ("2650200000009990000x", None, "bad_invoice_number"),
        ("٢6502000000099900001", None, "bad_invoice_number"),
        ("2.6502E+19", None, "number_lost"),
        ("2.6502e19", None, "number_lost"),
        (26502000000099900001.0, None, "number_lost"),
        (12345678.0, None, "number_lost"),
    ],
)
def test_an_invoice_number_is_20_digits_or_code_and_number(cell: cells.Cell, value: str, code: str) -> None:
    assert cells.read_invoice_number(cell) == (value, code)


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        ("1234.56", 123456, None),
        ("1,234.5", 123450, None),
        ("-0.01", -1, None),
        ("¥5", 500, None),
        ("¥ 1,234.50", 123450, None),
        ("-￥5", -500, None),
        ("¥-5.00", -500, None),
        ("5元", 500, None),
        ("12.3400", 1234, None),
        ("¥", None, "bad_amount"),
        ("元", None, "bad_amount"),
        ("--¥5", None, "bad_amount"),
        ("-¥-5", None, "bad_amount"),
        ("5万元", None, "bad_amount"),
        ("12.340 元 5", None, "bad_amount"),
        ("１，２３４．５０", 123450, None),
        ("99999999999.99", 9999999999999, None),
        ("", None, None),
        ("  ", None, None),
        ("100000000000", None, "amount_too_large"),
        ("1,2345.6", None, "bad_amount"),
        ("12.345", None, "bad_amount"),
        ("1e3", None, "bad_amount"),
        ("一百", None, "bad_amount"),
        ("--5", None, "bad_amount"),
        (".5", None, "bad_amount"),
        (94339.62, 9433962, None),
        (0.1 + 0.2, 30, None),
        (-0.0, 0, None),
        (100.0, 10000, None),
        (94339.625, None, "bad_amount"),
        (1e15, None, "amount_too_large"),
        (float("nan"), None, "bad_amount"),
        (float("inf"), None, "amount_too_large"),
        (123456789012.345678, None, "amount_too_large"),
    ],
)
def test_money_is_yuan_with_at_most_two_decimals(cell: cells.Cell, value: int, code: str) -> None:
    assert cells.read_money(cell) == (value, code)


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        ("2026-08-01", "2026-08-01", None),
        ("2026/8/1", "2026-08-01", None),
        ("2026年8月1日", "2026-08-01", None),
        ("20260801", "2026-08-01", None),
        (20260801.0, "2026-08-01", None),
        ("2026.8.1", "2026-08-01", None),
        ("2026-08-01 10:20:30", "2026-08-01", None),
        ("2026-08-01T10:20", "2026-08-01", None),
        ("", None, None),
        ("２０２６-08-01", "2026-08-01", None),
        ("2026-02-29", None, "bad_day"),
        ("2028-02-29", "2028-02-29", None),
        ("1999-12-31", None, "bad_day"),
        ("2026-8/1", None, "bad_day"),
        (46235.0, None, "bad_day"),
        ("八月", None, "bad_day"),
    ],
)
def test_a_day_is_read_as_written_in_five_ways(cell: cells.Cell, value: str, code: str) -> None:
    assert cells.read_day(cell) == (value, code)


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        ("6%", 600, None),
        ("6 %", 600, None),
        ("0.06", 600, None),
        ("6", 600, None),
        ("１３％", 1300, None),
        (0.06, 600, None),
        (0.13, 1300, None),
        ("1%", 100, None),
        ("1", 100, None),
        ("0", 0, None),
        ("0%", 0, None),
        ("0.060000", 600, None),
        ("1.5%", 150, None),
        ("免税", None, None),
        ("不征税", None, None),
        ("***", None, None),
        ("零税率", 0, None),
        ("", None, None),
        ("六", None, "bad_rate"),
        ("101%", None, "bad_rate"),
        ("-6%", None, "bad_rate"),
        ("0.00001", None, "bad_rate"),
    ],
)
def test_a_rate_is_basis_points_or_a_warning(cell: cells.Cell, value: int, code: str) -> None:
    assert cells.read_rate(cell) == (value, code)


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        ("1200.50", "1200.5", None),
        ("001", "1", None),
        ("1,200", "1200", None),
        ("0.0000000001", "0.0000000001", None),
        (1200.5, "1200.5", None),
        (1e-7, "0.0000001", None),
        ("-0", "0", None),
        ("-3.0", "-3", None),
        ("", None, None),
        ("0.00000000001", None, "bad_number"),
        ("1,20", None, "bad_number"),
        ("12小时", None, "bad_number"),
        (1e300, None, "bad_number"),
        (float("nan"), None, "bad_number"),
        ("1234567890123456", None, "bad_number"),
    ],
)
def test_a_quantity_is_canonical_decimal_text(cell: cells.Cell, value: str, code: str) -> None:
    assert cells.read_number(cell) == (value, code)


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        (" HT-1 ", "HT-1", None),
        ("ＨＴ－１", "HT-1", None),
        ("合同（一）", "合同(一)", None),
        ("H|T", None, "bad_character"),
        ("H\tT", None, "bad_character"),
        ("H\nT", None, "bad_character"),
        ("HT-1\n", "HT-1", None),
        (20260001.0, None, "number_lost"),
        ("x" * 200, "x" * 200, None),
        ("x" * 201, None, "text_too_long"),
        ("", None, None),
    ],
)
def test_a_reference_has_no_bar_and_no_control_character(cell: cells.Cell, value: str, code: str) -> None:
    assert cells.read_reference(cell) == (value, code)


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        ("3040203000000000000", "3040203000000000000", None),
        ("304020300000000000", None, "bad_tax_code"),
        (3040203000000000000.0, None, "number_lost"),
        ("3.0402E+18", None, "number_lost"),
        ("", None, None),
    ],
)
def test_a_tax_code_has_19_digits(cell: cells.Cell, value: str, code: str) -> None:
    assert cells.read_tax_code(cell) == (value, code)


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        ("91500000ma5u000111", "91500000MA5U000111", None),
        ("91500000MA5U00035F", "91500000MA5U00035F", "uscc_organisation_digit"),
        ("91500000MA5U000110", None, "bad_uscc"),
        (915000000000000000.0, None, "number_lost"),
    ],
)
def test_a_credit_code_is_checked_twice(cell: cells.Cell, value: str, code: str) -> None:
    assert cells.read_uscc(cell) == (value, code)


def test_a_text_is_kept_but_for_its_ends_and_has_a_limit() -> None:
    assert cells.read_text(" 甲\n乙 ") == ("甲 乙", None)
    assert cells.read_text(12.0) == ("12", None)
    assert cells.read_text("字" * 1000) == ("字" * 1000, None)
    assert cells.read_text("字" * 1001) == (None, "text_too_long")


USUAL: dict[str, st.SearchStrategy[cells.Cell]] = {
    "money": st.integers(-(10**12), 10**12).map(lambda fen: f"{'-' * (fen < 0)}{abs(fen) // 100}.{abs(fen) % 100:02d}"),
    "id": st.integers(0, 10**20 - 1).map(lambda number: f"{number:020d}"),
    "number": st.decimals(0, 10**6, places=4).map(str),
}
"""Cells of the shapes that a column reader takes all at once."""


def test_a_legacy_number_run_together_has_its_key_in_a_column_too() -> None:
    numbers = ["26502000000099900001", "05000212130000012345"]
    assert list(ColumnReader(Column("列", "field", "id")).read(numbers)) == [numbers[0], "050002121300-00012345"]


@pytest.mark.parametrize("type_", ["money", "id", "number"])
@given(data=st.data())
def test_a_column_read_at_once_gives_what_its_cells_give_one_by_one(type_: ColumnType, data: st.DataObject) -> None:
    odd = st.sampled_from(
        ["", "x", "1,234.50", "-0.00", "00.10", "1.5", "7\n8", "１", "1.50\n2.50", 5.0, 94339.62, 1e300, "05" * 10]
    )
    usual = USUAL[type_]
    mixed: st.SearchStrategy[cells.Cell] = st.one_of(usual, odd)
    column = data.draw(st.one_of(st.lists(mixed, max_size=6), st.lists(usual, max_size=6)))
    one = {"money": cells.read_money, "id": cells.read_invoice_number, "number": cells.read_number}[type_]
    reader = ColumnReader(Column("列", "field", type_))
    assert list(reader.read(column)) == [one(cell)[0] for cell in column]
    assert {cell for cell in column if one(cell)[1]} <= set(reader.notes)


@pytest.mark.parametrize("type_", ["money", "number"])
@given(st.lists(st.floats() | st.integers(-(10**8), 10**8).map(lambda fen: fen / 100), max_size=6))
def test_numeric_cells_read_at_once_give_what_they_give_one_by_one(type_: ColumnType, column: list[float]) -> None:
    one = {"money": cells.read_money, "number": cells.read_number}[type_]
    read = list(ColumnReader(Column("列", "field", type_)).read(column))
    assert read == [one(cell)[0] for cell in column]


@given(st.integers(-(10**13) + 1, 10**13 - 1))
def test_every_amount_excel_can_hold_to_the_fen_is_read_to_the_fen(fen: int) -> None:
    assert cells.read_money(fen / 100) == (fen, None)
    assert cells.read_money(str(Decimal(fen) / 100)) == (fen, None)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0e999999999999", 0), ("-0E-999999999999", 0), ("1e-999999999999", 0), ("1E-05", PARTS // 10**5),
        ("1e10", 10**10 * PARTS), ("5e-13", 1), ("-4.9e-13", 0), ("1e11", None), ("1e999999999999", None),
        ("0." + "1" * 5000, (PARTS - 1) // 9), ("1" * 5000 + "e-5000", (PARTS - 1) // 9),
        ("99999999999.9999999999995", None), ("-99999999999.9999999999994", 1 - 10**11 * PARTS),
    ],
)  # fmt: skip
def test_a_number_of_a_usage_file_is_read_whatever_its_exponent(cell: str, value: int | None) -> None:
    assert read_parts(cell)[0] == value

"""Money is a whole number of fen, read exactly and written back the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher.money import MAX_FEN, format_yuan, parse_yuan

FENS = st.integers(-MAX_FEN + 1, MAX_FEN - 1)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0", 0),
        ("0.01", 1),
        ("1", 100),
        ("1.5", 150),
        ("007.50", 750),
        ("1234.56", 123_456),
        ("1,234.5", 123_450),
        ("12,345,678.90", 1_234_567_890),
        ("-37000.01", -3_700_001),
        ("-0", 0),
        ("99999999999.99", MAX_FEN - 1),
        ("-99999999999.99", 1 - MAX_FEN),
    ],
)
def test_an_amount_is_read_to_the_fen(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "1.", ".5", "1.234", "1,2345.6", "12,34", ",123", "1,23", "1234,567", "1,234,56", "1 000"),
        *("+1", "--1", "1-", "1e3", "0x1", "nan", "inf", "一", "１", "¥1", "1.2.3", "1\n", "\n1"),
        *("100000000000", "100000000000.00", "-100000000000.00", "9" * 400),
    ],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_yuan(text)


@given(FENS)
def test_what_is_written_is_read_again(fen: int) -> None:
    assert parse_yuan(format_yuan(fen)) == parse_yuan(format_yuan(fen, grouped=True)) == fen


@given(FENS)
def test_yuan_have_two_decimals_and_the_sign_of_the_fen(fen: int) -> None:
    text = format_yuan(fen)
    assert text[-3] == "."
    assert text.replace(".", "").lstrip("-").isdigit()
    assert text.startswith("-") == (fen < 0)


@pytest.mark.parametrize(
    ("fen", "plain", "grouped"),
    [
        (0, "0.00", "0.00"),
        (5, "0.05", "0.05"),
        (-5, "-0.05", "-0.05"),
        (-100, "-1.00", "-1.00"),
        (123_456_789, "1234567.89", "1,234,567.89"),
        (-100_000_000, "-1000000.00", "-1,000,000.00"),
    ],
)
def test_fen_are_written_as_yuan(fen: int, plain: str, grouped: str) -> None:
    assert (format_yuan(fen), format_yuan(fen, grouped=True)) == (plain, grouped)


@given(st.text(max_size=30))
def test_no_text_is_an_accident(text: str) -> None:
    try:
        fen = parse_yuan(text)
    except ValueError:
        return
    assert abs(fen) < MAX_FEN

"""COPY text: what PostgreSQL writes is read back, value by value."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from voucher import copytext

_ESCAPES = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "|": "\\|"}


def copied(values: list[str | None]) -> str:
    """Write values as COPY does."""
    return "|".join("\\N" if v is None else "".join(_ESCAPES.get(letter, letter) for letter in v) for v in values)


@given(some.lists(some.none() | some.text(some.sampled_from("ab|\\\n\t\rN{}中")), min_size=1))
def test_values_come_back(values: list[str | None]) -> None:
    line = copied(values)
    assert "\n" not in line
    assert copytext.fields(line) == values


def test_a_loose_backslash_is_no_copy_text() -> None:
    with pytest.raises(ValueError, match="loose"):
        copytext.fields("a|loose\\")


def test_rows_stand_under_their_table() -> None:
    body = [b"@act\n", b"1|a\n", b"@party\n", "2|中\n".encode(), b"3|b\n"]
    assert list(copytext.tables(body)) == [("act", "1|a"), ("party", "2|中"), ("party", "3|b")]

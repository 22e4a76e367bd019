"""Amounts in capitals: the words of the rule, and a reader that gives every amount back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.capitals import parse_capitals
from voucher.capitals import capitals


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"), (1, "壹分"), (10, "壹角整"), (101, "壹元零壹分"), (110, "壹元壹角整"), (1000, "壹拾元整"),
        (10_700, "壹佰零柒元整"), (160_090, "壹仟陆佰元玖角整"), (600_701_400, "陆佰万柒仟零壹拾肆元整"),
        (1_000_205, "壹万零贰元零伍分"), (10_700_053, "壹拾万柒仟元伍角叁分"), (10**10, "壹亿元整"),
        (10**12 + 500, "壹佰亿零伍元整"), (-1_234, "负壹拾贰元叁角肆分"),
    ],
)  # fmt: skip
def test_an_amount_is_written_as_the_rule_says(fen: int, words: str) -> None:
    assert capitals(fen) == words


@given(
    st.integers(0, 10**13) | st.lists(st.sampled_from("0012"), min_size=1, max_size=13).map(lambda d: int("".join(d)))
)
def test_what_is_written_is_read_back(fen: int) -> None:
    words = capitals(fen)
    assert parse_capitals(words) == fen
    assert "零零" not in words
    assert words.endswith("整") == (fen % 10 == 0)
    assert parse_capitals(capitals(-fen)) == -fen

"""Tables and lines as a terminal shows them."""

import pytest
from rich.cells import cell_len

from console import answer
from console.answer import pairs, table, wrap


def test_columns_align_by_what_a_terminal_shows() -> None:
    lines = table(["名称", ">金额"], [("甲", "1.00"), ("abcdef", "12,000.00")])
    assert len({cell_len(line) for line in lines}) == 1
    assert lines[2].endswith("     1.00")
    assert pairs([("甲", "1"), ("abc", "2")]) == ["甲   1", "abc  2"]


def test_no_line_is_too_long_or_begins_with_a_closing_mark() -> None:
    lines = wrap("持股达到25%即视为关联方，文件未作规定；须由主管部门确认。" * 3, 24)
    assert all(cell_len(line) <= 24 for line in lines)
    assert not any(line[0] in "，。；" for line in lines)
    assert wrap("", 10) == [""]


def test_only_the_last_column_goes_on_in_further_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "width", lambda: 40)
    lines = table(["号", "说明"], [("1", "很长的说明" * 8)])
    assert all(cell_len(line) <= 40 for line in lines)
    assert "".join(line.strip() for line in lines[2:]).replace(" ", "") == "1" + "很长的说明" * 8

"""The working-day calendar: what the notices of the State Council say, and years they have not spoken of."""

from datetime import date, timedelta

import pytest

from voucher import workdays
from voucher.errors import Refused

FILE = """
year = 2026
number = "文号"
title = "标题"
[[holiday]]
name = "春节"
first = 2026-02-15
last = 2026-02-23
make_up = [2026-02-14, 2026-02-28]
"""


def _count(year: int) -> int:
    day, found = date(year, 1, 1), 0
    while day.year == year:
        found += workdays.is_working(day)
        day += timedelta(days=1)
    return found


def test_a_year_has_as_many_working_days_as_the_law_leaves() -> None:
    """Since 2025 a year has 13 legal holidays: what is worked is the weekdays less those, exchanges even out."""
    for year in (2025, 2026):
        weekdays = sum((date(year, 1, 1) + timedelta(days=n)).weekday() < 5 for n in range(365))
        assert _count(year) == weekdays - 13, year


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2025-01-26", True), ("2025-01-27", True), ("2025-01-28", False), ("2025-02-04", False), ("2025-02-05", True),
        ("2025-10-08", False), ("2025-10-09", True), ("2025-10-11", True), ("2026-01-02", False), ("2026-01-04", True),
        ("2026-02-14", True), ("2026-02-16", False), ("2026-02-24", True), ("2026-08-15", False), ("2026-08-17", True),
        ("2026-09-20", True), ("2026-09-25", False), ("2026-10-08", True), ("2026-10-10", True), ("2026-12-31", True),
    ],
)  # fmt: skip
def test_days_are_worked_as_the_notices_say(day: str, working: bool) -> None:
    assert workdays.is_working(date.fromisoformat(day)) is working


def test_full_working_days_skip_holidays_and_take_make_up_days() -> None:
    assert workdays.after(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert workdays.after(date(2026, 9, 30), 5) == date(2026, 10, 13)  # 8, 9, Saturday the 10th, 12, 13
    assert workdays.after(date(2026, 8, 14), 5) == date(2026, 8, 21)


def test_the_fifth_working_day_of_a_month() -> None:
    assert workdays.of_month(2026, 8, 5) == date(2026, 8, 7)
    assert workdays.of_month(2026, 10, 5) == date(2026, 10, 13)
    assert workdays.of_month(2026, 1, 1) == date(2026, 1, 4)


def test_a_year_that_is_not_in_the_calendar_is_refused() -> None:
    last = max(workdays.years())
    with pytest.raises(Refused, match="calendar_missing"):
        workdays.after(date(last, 12, 31), 1)
    with pytest.raises(Refused, match="calendar_missing"):
        workdays.is_working(date(min(workdays.years()) - 1, 12, 31))


def test_a_file_that_contradicts_itself_is_not_read() -> None:
    assert len(workdays.parse(FILE).holidays) == 9
    for before, behind in [
        ("2026-02-28", "2026-02-27"), ("2026-02-14", "2026-02-15"), ("2026-02-14", "2025-02-15"),
        ("last = 2026-02-23", "last = 2026-02-13"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=r"2026|2025"):
            workdays.parse(FILE.replace(before, behind))

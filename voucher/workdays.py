"""Working days by the State Council's calendar: one dated file per year; a year without its file is refused.

A file of `calendar_years/` lists only what differs from Monday to Friday, and names the notice it is taken from.
"""

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from voucher.errors import Refused


@dataclass(frozen=True, slots=True)
class Year:
    """A year of the calendar. number: of the notice; holidays and make_up: the days that differ from the week."""

    year: int
    number: str
    holidays: frozenset[date]
    make_up: frozenset[date]


def parse(text: str) -> Year:
    """Read a file of the calendar. Raises ValueError when it contradicts itself or the week."""
    table = tomllib.loads(text)
    holidays: set[date] = set()
    make_up: set[date] = set()
    for entry in table["holiday"]:
        first, last = entry["first"], entry["last"]
        days = {first + timedelta(days=n) for n in range((last - first).days + 1)}
        if not days or days & holidays:
            raise ValueError(f"{entry['name']}: {first} to {last}")
        holidays |= days
        make_up |= set(entry.get("make_up", []))
    wrong = [day for day in make_up if day.weekday() < 5 or day in holidays]
    wrong += [day for day in holidays | make_up if day.year != table["year"]]
    if wrong:
        raise ValueError(f"{sorted(wrong)[0]}")
    return Year(table["year"], table["number"], frozenset(holidays), frozenset(make_up))


@cache
def years() -> dict[int, Year]:
    """Read the calendar: year to its days."""
    folder = files("voucher").joinpath("calendar_years")
    found = (parse(each.read_text("utf-8")) for each in folder.iterdir() if each.name.endswith(".toml"))
    return dict(sorted((year.year, year) for year in found))


def is_working(day: date) -> bool:
    """Tell whether a day is worked. Raises Refused (`calendar_missing`) for a year that is not in the calendar."""
    year = years().get(day.year)
    if year is None:
        raise Refused(
            "calendar_missing",
            f"工作日历里没有{day.year}年。请待国务院办公厅公布{day.year}年放假安排后升级本程序，再办理此事。",
        )
    return day in year.make_up or (day.weekday() < 5 and day not in year.holidays)


def after(day: date, count: int) -> date:
    """Return the last of so many full working days after a day, the day itself not counted; count is at least 1.

    Raises Refused (`calendar_missing`) when the way leads into a year that is not in the calendar.
    """
    assert count > 0
    while count:
        day += timedelta(days=1)
        count -= is_working(day)
    return day


def of_month(year: int, month: int, count: int) -> date:
    """Return the count-th working day of a month. Raises Refused (`calendar_missing`)."""
    return after(date(year, month, 1) - timedelta(days=1), count)

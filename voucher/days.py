"""Days, half-open spans of days, months and the business day in Chongqing."""

import os
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from voucher.errors import Misused

ZONE = ZoneInfo("Asia/Shanghai")
OPEN_END = date(2200, 1, 1)
"""First day after every open span: an empty 止 means through 2199-12-31."""
_DAY = re.compile(r"(\d{4})(-|/|\.)(\d{1,2})\2(\d{1,2})\Z|(\d{4})年(\d{1,2})月(\d{1,2})日\Z|(\d{8})\Z", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})\Z", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Days from `start` up to, but not including, `end`; empty when end is not after start."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Number of days, never negative."""
        return max(0, (self.end - self.start).days)

    def __and__(self, other: "Span") -> "Span":
        """Days that lie in both; may be empty."""
        return Span(max(self.start, other.start), min(self.end, other.end))

    def __contains__(self, day: date) -> bool:
        """Tell whether the day lies in the span."""
        return self.start <= day < self.end

    @property
    def last(self) -> date:
        """Last day, as written on paper."""
        return self.end - timedelta(days=1)


def inclusive(first: date, last: date | None) -> Span:
    """Make a span from paper, where both ends count and an empty end is open."""
    return Span(first, OPEN_END if last is None else last + timedelta(days=1))


def year_span(year: int) -> Span:
    """Return the calendar year as a span."""
    return Span(date(year, 1, 1), date(year + 1, 1, 1))


def parse_day(text: str) -> date:
    """Read 2026-08-01, 2026/8/1, 2026.8.1, 20260801 or 2026年8月1日.

    Years from 2000 to 2199. Raises ValueError for anything else, 2026-02-30 among it.
    """
    match = _DAY.match(text)
    if match is None:
        raise ValueError(text)
    if match[8]:
        parts = match[8][:4], match[8][4:6], match[8][6:]
    elif match[1]:
        parts = match[1], match[3], match[4]
    else:
        parts = match[5], match[6], match[7]
    day = date(int(parts[0]), int(parts[1]), int(parts[2]))
    if not 2000 <= day.year <= 2199:
        raise ValueError(text)
    return day


def month_span(text: str) -> Span:
    """Read a month as 2026-08. Raises ValueError for anything else."""
    match = _MONTH.match(text)
    if match is None:
        raise ValueError(text)
    year, month = int(match[1]), int(match[2])
    start = date(year, month, 1)
    return Span(start, date(year + month // 12, month % 12 + 1, 1))


def business_day() -> date:
    """Return today in Asia/Shanghai, or CVL_TODAY (rehearsals and tests).

    Raises Misused when CVL_TODAY is not a day of 2000 to 2199.
    """
    fixed = os.environ.get("CVL_TODAY")
    if not fixed:
        return datetime.now(ZONE).date()
    try:
        return parse_day(fixed)
    except ValueError:
        raise Misused("bad_day", f"环境变量 CVL_TODAY 不是日期：{fixed}。请写成 2026-08-31。") from None

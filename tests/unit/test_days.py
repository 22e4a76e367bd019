"""Days and half-open spans of days: both ends count on paper, the end does not in the books."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher import days
from voucher.days import OPEN_END, Span, business_day, inclusive, month_span, parse_day, year_span
from voucher.errors import Misused

DAYS = st.dates(date(2000, 1, 1), date(2199, 12, 31))
SPANS = st.builds(Span, DAYS, DAYS)


@pytest.mark.parametrize(
    "text",
    ["2026-08-01", "2026-8-1", "2026/08/01", "2026/8/1", "2026.8.1", "20260801", "2026年8月1日", "2026年08月01日"],
)
def test_a_day_is_read_in_the_usual_ways(text: str) -> None:
    assert parse_day(text) == date(2026, 8, 1)


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-02-30", "2026-13-01", "2026-00-10", "2025-02-29", "2026-8", "2026-08/01", "2026.8-1", "26-8-1"),
        *("2026-8-1 ", " 2026-8-1", "2026-08-01\n", "2026801", "202608011", "1.8.2026", "08/01/2026", "2026-08-011"),
        *("２０２６-08-01", "2026年8月", "昨天", "1999-12-31", "2200-01-01", "19991231", "0001-01-01", "46235"),
    ],
)
def test_anything_else_is_no_day(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_day(text)


@given(DAYS)
def test_every_day_of_two_centuries_is_read_from_its_iso_form(day: date) -> None:
    assert (
        parse_day(day.isoformat())
        == parse_day(f"{day:%Y%m%d}")
        == parse_day(f"{day.year}年{day.month}月{day.day}日")
        == day
    )


@given(st.text(max_size=14))
def test_no_text_is_an_accident(text: str) -> None:
    with suppress(ValueError):
        assert 2000 <= parse_day(text).year <= 2199


def test_both_ends_count_on_paper() -> None:
    span = inclusive(date(2026, 8, 1), date(2026, 8, 31))
    assert (span.start, span.end, span.days, span.last) == (date(2026, 8, 1), date(2026, 9, 1), 31, date(2026, 8, 31))
    assert date(2026, 8, 1) in span
    assert date(2026, 8, 31) in span
    assert date(2026, 9, 1) not in span
    assert date(2026, 7, 31) not in span
    assert inclusive(date(2026, 8, 1), date(2026, 8, 1)).days == 1


def test_an_empty_end_is_open_through_2199() -> None:
    assert inclusive(date(2026, 8, 1), None).end == OPEN_END == date(2200, 1, 1)


@given(SPANS, SPANS, DAYS)
def test_a_day_is_in_two_spans_if_it_is_in_each(a: Span, b: Span, day: date) -> None:
    assert (day in (a & b)) == (day in a and day in b)
    assert (a & b).days == (b & a).days <= min(a.days, b.days)


@given(SPANS)
def test_a_span_has_as_many_days_as_lie_in_it(span: Span) -> None:
    assert span.days == max(0, (span.end - span.start).days)
    assert (span.start in span) == (span.days > 0)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-08", date(2026, 8, 1), date(2026, 8, 31)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
    ],
)
def test_a_month_runs_from_its_first_to_its_last_day(text: str, first: date, last: date) -> None:
    span = month_span(text)
    assert (span.start, span.last) == (first, last)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-8", "202608", "2026-08-01", "", "0000-01", "2026-08 "])
def test_anything_else_is_no_month(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        month_span(text)


def test_a_year_is_a_calendar_year() -> None:
    assert (year_span(2026).days, year_span(2024).days) == (365, 366)
    assert year_span(2026).end == year_span(2027).start


def test_the_business_day_is_today_in_shanghai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CVL_TODAY", raising=False)
    before = datetime.now(UTC)
    found = business_day()
    assert (before + timedelta(hours=8)).date() <= found <= (datetime.now(UTC) + timedelta(hours=8)).date()


def test_a_rehearsal_has_a_day_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_TODAY", "2027-03-31")
    assert business_day() == date(2027, 3, 31)
    monkeypatch.setenv("CVL_TODAY", "")
    assert business_day() == datetime.now(days.ZONE).date()
    for wrong in ("2027-02-30", "heute", "2027-03-31T00:00"):
        monkeypatch.setenv("CVL_TODAY", wrong)
        with pytest.raises(Misused, match="bad_day"):
            business_day()

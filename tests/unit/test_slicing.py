"""Shares of an amount by days, and sets of days."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from settlement.slicing import intersect, share, subtract, union
from voucher.days import Span, inclusive, year_span

DAY = date(2026, 1, 1)


def span(first: int, last: int) -> Span:
    return Span(DAY + timedelta(days=first), DAY + timedelta(days=last))


SPANS = st.lists(st.builds(span, st.integers(0, 40), st.integers(0, 40)), max_size=6)


def days(spans: list[Span]) -> set[date]:
    return {each.start + timedelta(days=i) for each in spans for i in range(each.days)}


def test_a_share_is_the_difference_of_two_floors() -> None:
    whole = inclusive(date(2025, 6, 1), date(2026, 5, 31))
    pieces = [
        Span(whole.start, date(2025, 12, 25)),
        Span(date(2025, 12, 25), date(2026, 1, 1)),
        whole & year_span(2026),
    ]
    assert [share(120_000_000, whole, piece) for piece in pieces] == [68_054_794, 2_301_370, 49_643_836]


def test_one_fen_over_two_days_goes_to_the_last_day() -> None:
    assert [share(1, span(0, 2), span(i, i + 1)) for i in (0, 1)] == [0, 1]


def test_an_empty_piece_has_no_share() -> None:
    assert share(100, span(0, 3), span(2, 2)) == 0


@given(st.integers(0, 10**15), st.lists(st.integers(1, 200), min_size=1, max_size=20))
def test_shares_of_any_cut_add_up_to_the_amount(amount: int, lengths: list[int]) -> None:
    edges = [sum(lengths[:i]) for i in range(len(lengths) + 1)]
    whole = span(0, edges[-1])
    shares = [share(amount, whole, span(a, b)) for a, b in pairwise(edges)]
    assert sum(shares) == amount
    assert min(shares) >= 0


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 90), st.data())
def test_a_share_never_falls_when_the_amount_rises_by_whole_spans(
    amount: int, more: int, length: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, length))
    piece = span(start, data.draw(st.integers(start, length)))
    whole = span(0, length)
    assert share(amount + more * length, whole, piece) == share(amount, whole, piece) + more * piece.days


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 90), st.data())
def test_a_share_of_more_is_less_by_at_most_one_fen(amount: int, more: int, length: int, data: st.DataObject) -> None:
    """3 fen over 7 days give the third day 1 fen, 4 fen give it none: shares are exact in sum, not each."""
    start = data.draw(st.integers(0, length))
    piece = span(start, data.draw(st.integers(start, length)))
    fall = share(amount, span(0, length), piece) - share(amount + more, span(0, length), piece)
    assert fall <= (1 if start else 0)


@given(SPANS, SPANS)
def test_sets_of_days_are_what_sets_of_days_are(one: list[Span], other: list[Span]) -> None:
    assert days(union(one)) == days(one)
    assert days(intersect(union(one), union(other))) == days(one) & days(other)
    assert days(subtract(union(one), union(other))) == days(one) - days(other)


@given(SPANS, SPANS)
def test_sets_of_days_are_sorted_and_their_spans_do_not_touch(one: list[Span], other: list[Span]) -> None:
    for result in (union(one), intersect(union(one), union(other)), subtract(union(one), union(other))):
        assert all(each.days for each in result)
        assert all(a.end < b.start for a, b in pairwise(result))

"""Shares of an amount by days, and sets of days as sorted lists of spans that neither touch nor overlap."""

from collections.abc import Iterable, Sequence

from voucher.days import Span
from voucher.money import Fen

Log = Sequence[int]
"""What the days of a span weigh, summed up: how much all days before the first, the second, … weigh, and all of them.

One entry more than there are days, beginning with 0 and never falling; the last is above zero.
"""


def share(amount: Fen, span: Span, piece: Span, log: Log | None = None) -> Fen:
    """Return the piece's share of an amount that is spread over the days of a span.

    amount: fen, never negative. piece: days within the span. log: what each day weighs; without one all weigh the
    same. The shares of pieces that fill the span without overlap add up to the amount exactly, however it is cut.

    Source: DESIGN 6.3, ⌊amount·(b−s)/n⌋ − ⌊amount·(a−s)/n⌋ for the days [a, b) of n days from s.
    """
    assert amount >= 0
    assert span.start <= piece.start <= piece.end <= span.end
    before, until, whole = (piece.start - span.start).days, (piece.end - span.start).days, span.days
    if log is not None:
        before, until, whole = log[before], log[until], log[whole]
    return amount * until // whole - amount * before // whole


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the days that lie in any of the spans, in whatever order they come; empty ones add nothing."""
    found = [span for span in spans if span.start < span.end]
    if len(found) < 2:
        return found
    days: list[Span] = []
    for span in sorted(found):
        if days and span.start <= days[-1].end:
            days[-1] = Span(days[-1].start, max(days[-1].end, span.end))
        else:
            days.append(span)
    return days


def intersect(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Return the days that lie in both sets of days."""
    return union(span & piece for span in one for piece in other)


def subtract(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Return the days of the first set that do not lie in the second."""
    left = union(one)
    for hole in other:
        sides = ((Span(s.start, min(s.end, hole.start)), Span(max(s.start, hole.end), s.end)) for s in left)
        left = union(side for pair in sides for side in pair)
    return left

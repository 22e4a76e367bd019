"""Rules over typed rows that hold for every format: a row against itself, never against other rows or the books."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import repeat
from operator import add, eq, gt, mul, sub

from importers.cells import Value
from importers.chunks import Finding, Values
from voucher.money import format_yuan

RATE_TOLERANCE_FEN = 5
MAX_YEARS = 10
_TOLERANCE = RATE_TOLERANCE_FEN * 10_000


def check_table(values: Values, today: date) -> Iterator[Finding]:
    """Yield what is wrong with each row of a sheet, which people may have saved as numbers: see `check_rows`.

    A number of 20 digits that Excel has shown in full has its last five as zeros, so that different invoices fall
    together; one in a hundred thousand is so by itself.
    """
    for index, number in enumerate(values["invoice_number"]):
        if number and str(number)[-5:] == "00000" and len(str(number)) == 20:
            yield Finding(index, "number_rounded", "invoice_number", str(number))
    yield from check_rows(values, today)


def check_rows(values: Values, today: date) -> Iterator[Finding]:
    """Yield what is wrong with each row of typed columns, in several rules per row. today: the business day."""
    yield from _spans(values["service_from"], values["service_until"])
    yield from _issued(values["issued_on"], today.isoformat())
    yield from _parties(values["provider_uscc"], values["company_uscc"])
    net, tax, gross = _ints(values["net_fen"]), _ints(values["tax_fen"]), _ints(values["gross_fen"])
    yield from _sums(net, tax, gross)
    yield from _rates(net, _ints(values["rate_bp"]), tax)
    yield from _reds(values)


def _ints(column: Sequence[Value]) -> Sequence[int | None]:
    """Name the type of a money column."""
    return column  # type: ignore[return-value]


def _where(
    pairs: Iterable[tuple[Value, ...]], wrong: set[tuple[Value, ...]]
) -> Iterator[tuple[int, tuple[Value, ...]]]:
    """Yield index and pair of the rows whose pair is among the wrong ones; few pairs are distinct."""
    if wrong:
        for index, pair in enumerate(pairs):
            if pair in wrong:
                yield index, pair


def _spans(starts: Sequence[Value], ends: Sequence[Value]) -> Iterator[Finding]:
    try:
        widest = _span_code(min(starts), max(ends))  # type: ignore[type-var]
        if widest is None and True not in map(gt, starts, ends):  # type: ignore[arg-type]
            return
    except (TypeError, ValueError):
        pass
    pairs: list[tuple[Value, ...]] = list(zip(starts, ends, strict=True))
    wrong = {pair for pair in set(pairs) if _span_code(*pair) is not None}
    for index, (start, end) in _where(pairs, wrong):
        column = "service_from" if start is None else "service_until"
        code = _span_code(start, end) or ""
        yield Finding(index, code, column, str(end or ""), (("start", start),))


def _span_code(start: Value, end: Value) -> str | None:
    """Judge one service span; days are ISO texts, which sort as days."""
    if start is None or end is None:
        return None if start is end else "span_half_given"
    first, last = str(start), str(end)
    if last < first:
        return "span_reversed"
    limit = f"{int(first[:4]) + MAX_YEARS:04d}{first[4:]}"
    return "span_too_long" if last >= limit else None


def _issued(days: Sequence[Value], today: str) -> Iterator[Finding]:
    wrong: set[tuple[Value, ...]] = {(day,) for day in set(days) if day is not None and str(day) > today}
    for index, (day,) in _where(zip(days, strict=True), wrong):
        yield Finding(index, "issued_in_future", "issued_on", str(day), (("today", today),))


def _parties(providers: Sequence[Value], companies: Sequence[Value]) -> Iterator[Finding]:
    if True not in map(eq, providers, companies):
        return
    for index, (provider, company) in enumerate(zip(providers, companies, strict=True)):
        if provider is not None and provider == company:
            yield Finding(index, "same_party", "company_uscc", str(company))


def _sums(nets: Sequence[int | None], taxes: Sequence[int | None], grosses: Sequence[int | None]) -> Iterator[Finding]:
    try:
        if list(map(add, nets, taxes)) == grosses:
            return
    except TypeError:
        pass
    for index, (net, tax, gross) in enumerate(zip(nets, taxes, grosses, strict=True)):
        if net is None or tax is None or gross is None or net + tax == gross:
            continue
        shown = (("net", format_yuan(net)), ("tax", format_yuan(tax)), ("sum", format_yuan(net + tax)))
        yield Finding(index, "sum_differs", "gross_fen", format_yuan(gross), shown)


def _rates(nets: Sequence[int | None], rates: Sequence[int | None], taxes: Sequence[int | None]) -> Iterator[Finding]:
    try:
        gaps = list(map(sub, map(mul, nets, rates), map(mul, taxes, repeat(10_000))))
        if not gaps or (max(gaps) <= _TOLERANCE and min(gaps) >= -_TOLERANCE):
            return
    except TypeError:
        pass
    for index, (net, rate, tax) in enumerate(zip(nets, rates, taxes, strict=True)):
        if rate is None or net is None or tax is None:
            continue
        if not -_TOLERANCE <= net * rate - tax * 10_000 <= _TOLERANCE:
            expected = format_yuan((net * rate + 5_000) // 10_000)
            yield Finding(index, "tax_rate_differs", "tax_fen", format_yuan(tax), (("expected", expected),))


def _reds(values: Values) -> Iterator[Finding]:
    kinds = values["invoice_kind"]
    if "red" not in kinds:
        return
    nets, taxes, grosses = _ints(values["net_fen"]), _ints(values["tax_fen"]), _ints(values["gross_fen"])
    for index, kind in enumerate(kinds):
        if kind != "red":
            continue
        if values["original_number"][index] is None:
            yield Finding(index, "red_needs_original", "original_number")
        net, tax, gross = nets[index], taxes[index], grosses[index]
        for field, amount, below in (("net_fen", net, 0), ("tax_fen", tax, 1), ("gross_fen", gross, 0)):
            if amount is not None and amount >= below:
                yield Finding(index, "red_not_negative", field, format_yuan(amount))

"""What a remark (备注) says: the service span, the reversed invoice, the contract. Free text, read by fixed phrases."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from importers.cells import Value
from importers.text import Codec, clean_id, plain
from voucher.days import Span, month_span, parse_day

_DAY = r"(\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{4}\.\d{1,2}\.\d{1,2}|\d{4}年\d{1,2}月\d{1,2}日|\d{8})"
_TO = r"(?:至|到|-{1,2}|—{1,2}|–|~|～|〜)"
_ON = rf"份?(?:{_TO}|[、;；和与及])\d"
"""How a list of several days or months goes on."""
_MONTH = rf"(\d{{4}})[-年/.]?(0[1-9]|1[0-2]|[1-9])月?+(?!\d|[-/.]\d|\d*日|{_ON})"
_LABEL = r"(?:服务期间|服务期限|服务期|服务周期|所属期|账期|计费周期|结算周期):?"
_DAYS = re.compile(rf"{_LABEL}{_DAY}{_TO}{_DAY}")
_SHORT = re.compile(rf"{_LABEL}(\d{{4}})年(\d{{1,2}})月(\d{{1,2}})日{_TO}(?:(\d{{1,2}})月)?(\d{{1,2}})日")
_MONTHS = re.compile(
    rf"{_LABEL}(\d{{4}})[-年/.]?(\d{{1,2}})月?{_TO}(?:(\d{{4}})[-年/.]?(\d{{1,2}})月?+|(\d{{1,2}})月)(?!\d|[日、;；和与及])"
)
_LABELLED = re.compile(rf"{_LABEL}{_MONTH}")
_BARE = re.compile(rf"(?<!\d)(\d{{4}})年(\d{{1,2}})月(?!份?\d|{_ON})")
_NAMED = re.compile(r"(?<!\d)(\d{1,2})月(?!\d*日)")
_RED = re.compile(r"被?红冲蓝字(?:数电)?(?:发票|票)?号码:?(\d{20})(?!\d)")
_RED_OLD = re.compile(r"对应正数发票代码:?(\d{10}|\d{12})号码:?(\d{8})(?!\d)")
_DATED = r"\d{4}(?:年|(?P<mark>[-/.])\d{1,2}(?P=mark)\d{1,2}(?![\d-]))"
_CONTRACT = re.compile(rf"合同(?:编号|号码|号)?[::]?\s*(?!{_DATED})(?P<number>[A-Za-z0-9][A-Za-z0-9_/\-]{{3,60}})")
_CONFIRMATION = re.compile(r"红字发票信息确认单编号:?(\d{10,30})")


@dataclass(frozen=True, slots=True)
class Remark:
    """What was found; empty where nothing was. span: None when no span, or more than one month, is named."""

    span: Span | None
    original_number: str
    contract_no: str
    confirmation: str


def read_remark(text: str) -> Remark:
    """Read a remark. Never raises."""
    words = clean_id(text)
    packed = re.sub(r"\s+", "", words)
    red, old = _RED.search(packed), _RED_OLD.search(packed)
    contract, confirmation = _CONTRACT.search(words), _CONFIRMATION.search(packed)
    original = red[1] if red else f"{old[1]}-{old[2]}" if old else ""
    number = contract["number"] if contract else ""
    return Remark(_span(packed), original, number, confirmation[1] if confirmation else "")


def said_in_rows(values: Mapping[str, Sequence[Value]], codec: Codec) -> dict[str, Sequence[Value]]:
    """Return the columns of days and reversed invoices, each empty cell filled with what 备注 says.

    values: per staged field a column. An invoice of several rows has its remark on any of them. Never raises.
    """
    starts, ends = values["service_from"], values["service_until"]
    originals, remarks = values["original_number"], values["remark"]
    if not any(remarks) or (None not in starts and "red" not in values["invoice_kind"]):
        return {}
    kinds, numbers = values["invoice_kind"], values["invoice_number"]
    said: dict[Value, Remark] = {}
    named: dict[Value, set[Span | str]] = {}
    wanting: list[int] = []
    for index, (kind, text) in enumerate(zip(kinds, remarks, strict=True)):
        given = originals[index] if kind == "red" else starts[index] or ends[index]
        if given is not None:
            continue
        wanting.append(index)
        remark = said.get(text) or said.setdefault(text, read_remark(plain(str(text or ""), codec)))
        if found := remark.original_number if kind == "red" else remark.span:
            named.setdefault(numbers[index], set()).add(found)
    firsts, lasts, reversed_ones = list(starts), list(ends), list(originals)
    for index in wanting:
        match tuple(named.get(numbers[index], ())):
            case (Span() as span,):
                firsts[index], lasts[index] = span.start.isoformat(), span.last.isoformat()
            case (str() as original,):
                reversed_ones[index] = original
    return {"service_from": firsts, "service_until": lasts, "original_number": reversed_ones}


def _span(packed: str) -> Span | None:
    """Find the service span: labelled days, labelled months, else the one month that is named."""
    if days := _DAYS.search(packed):
        return _between(days[1], days[2])
    if short := _SHORT.search(packed):
        year, month, first_day, last_month, last_day = short.groups()
        return _between(f"{year}年{month}月{first_day}日", f"{year}年{last_month or month}月{last_day}日")
    if months := _MONTHS.search(packed):
        first = _month(months[1], months[2])
        last = _month(months[3] or months[1], months[4] or months[5])
        return Span(first.start, last.end) if first and last and first.start < last.end else None
    if labelled := _LABELLED.search(packed):
        return _month(labelled[1], labelled[2])
    named = {(year, int(month)) for year, month in _BARE.findall(packed)}
    if len(named) != 1 or len(set(map(int, _NAMED.findall(packed)))) != 1:
        return None
    year, number = named.pop()
    return _month(year, str(number))


def _between(first: str, last: str) -> Span | None:
    try:
        start, end = parse_day(first), parse_day(last)
    except ValueError:
        return None
    return Span(start, end + timedelta(days=1)) if start <= end else None


def _month(year: str, month: str) -> Span | None:
    try:
        span = month_span(f"{year}-{int(month):02d}")
    except ValueError:
        return None
    return span if date(2000, 1, 1) <= span.start < date(2199, 12, 1) else None

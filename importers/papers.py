"""One invoice document (XML, OFD, PDF) as a value, and as rows of our own template.

A document's rows are shown as template rows, so that its return file, filled in, goes straight back in.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate, pairwise
from operator import attrgetter
from typing import Any

from importers.catalogue import CATALOGUE
from importers.chunks import ChunkParser, Finding, ParsedChunk, Values
from importers.columns import Header
from importers.formats import cq_compute_1
from importers.remarks import Remark, read_remark
from importers.rules import check_rows
from importers.sheets import Batch
from importers.text import clean, clean_id

_DECIMAL = re.compile(r"[¥￥]?(-?)[¥￥]?((?:\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.\d{1,15})?)\Z", re.ASCII)
_TIMED = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?=[ T])|\d{4}年\d{1,2}月\d{1,2}日|\d{8}(?=\d{6}\Z)).+\Z", re.ASCII | re.DOTALL
)
_NOTHING = frozenset({"-", "--", "—", "——", "/"})
_CENT = Decimal("0.01")
_TENTH = Decimal("1E-10")
_OPTIONAL = frozenset(
    {VERSION := cq_compute_1.VERSION_COLUMN, "供方统一社会信用代码", "供方名称", "用方统一社会信用代码", "用方名称"}
    | {"税收分类编码", "项目名称"}
)
_PARTIAL = frozenset({"不含税金额", "税额", "价税合计"})
"""Columns that a bare QR code leaves empty."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a document. line: 1-based, 0 for the document as a whole. extra: words of the sentence."""

    code: str
    column: str = ""
    value: str = ""
    line: int = 0
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One line as text; amounts in yuan with two decimals."""

    tax_code: str = ""
    item: str = ""
    spec: str = ""
    unit: str = ""
    quantity: str = ""
    net: str = ""
    rate: str = ""
    tax: str = ""
    gross: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """One invoice as a document states it, all as text. kind: blue or red. lines: at least one.

    evidence: the kind of document, empty for the format's own. notes: what is recorded beside it, name to value.
    """

    number: str
    kind: str
    issued_on: str
    provider_uscc: str = ""
    provider_name: str = ""
    company_uscc: str = ""
    company_name: str = ""
    contract_no: str = ""
    service_from: str = ""
    service_until: str = ""
    original_number: str = ""
    remark: str = ""
    lines: Sequence[PaperLine] = ()
    faults: Sequence[Fault] = ()
    evidence: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)


_NAMED = {each: [one.name for one in fields(each)] for each in (Paper, PaperLine, Fault)}
_values, _line_values, _fault_values = (attrgetter(*names) for names in _NAMED.values())


def to_data(paper: Paper) -> dict[str, Any]:
    """Write a paper as plain data, for the way out of the child process; its lines and faults by place."""
    lines = [_line_values(line) for line in paper.lines]
    faults = [_fault_values(fault) for fault in paper.faults]
    return {**dict(zip(_NAMED[Paper], _values(paper), strict=True)), "lines": lines, "faults": faults}


def from_data(data: Mapping[str, Any]) -> Paper:
    """Read a paper from plain data."""
    lines = tuple(PaperLine(*line) for line in data["lines"])
    faults = tuple(Fault(code, column, clean(value), *rest) for code, column, value, *rest in data["faults"])
    notes = {clean(name)[:50]: clean(value)[:200] for name, value in data["notes"].items()}
    return Paper(**{**data, "lines": lines, "faults": faults, "notes": notes})


def decimal(text: str) -> Decimal | None:
    """Read an amount as a Decimal, None when it is none; never a huge exponent."""
    match = _DECIMAL.match(clean_id(text))
    return Decimal((match[1] + match[2]).replace(",", "")) if match else None


def tax(text: str) -> Decimal | None:
    """Read a tax; words such as 免税 or *** say that there is none. None when it is empty or no amount."""
    return decimal(text) if not text.strip() or any(char.isdigit() for char in text) else Decimal(0)


def total_tax(text: str, net: Decimal | None, gross: Decimal | None) -> Decimal | None:
    """Read the tax of an invoice; an empty one is 0 where net is gross, as of services that are not taxed."""
    return tax(text) if text.strip() or net is None or net != gross else Decimal(0)


def yuan(amount: Decimal) -> str:
    """Write an amount with two decimals when it has no more, else as it is, for the reader to refuse."""
    exact = amount.quantize(_CENT)
    return f"{exact:f}" if exact == amount else f"{amount:f}"


def cents(amount: Decimal) -> Decimal:
    """Round an amount to fen, half away from zero."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def quantity(text: str) -> str:
    """Write a quantity with at most ten decimals, a dash as none; what is no quantity stays as it is."""
    amount = decimal(text)
    if amount is None:
        return "" if text in _NOTHING else text
    plain = f"{amount.quantize(_TENTH, ROUND_HALF_UP):f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def day(text: str) -> str:
    """Cut the time of day behind a day."""
    match = _TIMED.match(text)
    return match[1] if match else text


def natural_number(code: str, number: str) -> str:
    """Return the one key of an invoice: 20 digits, or `code-number` of a legacy one."""
    code, number = clean_id(code), clean_id(number)
    return f"{code}-{number}" if code and len(number) == 8 else number


def with_remark(paper: Paper) -> Paper:
    """Fill what the remark says and the document does not: span, contract, reversed invoice, which must agree."""
    said: Remark = read_remark(paper.remark)
    notes = dict(paper.notes)
    if said.confirmation:
        notes.setdefault("红字信息确认单编号", said.confirmation)
    span = said.span if paper.kind == "blue" and not paper.service_from else None
    faults = paper.faults
    stated = clean_id(paper.original_number)
    if paper.kind == "red" and len(stated) == len(said.original_number) == 20 and stated != said.original_number:
        faults = (*faults, Fault("places_differ", "原发票号码", said.original_number, extra={"other": stated}))
    return replace(
        paper,
        faults=faults,
        service_from=span.start.isoformat() if span else paper.service_from,
        service_until=span.last.isoformat() if span else paper.service_until,
        original_number=paper.original_number or (said.original_number if paper.kind == "red" else ""),
        contract_no=paper.contract_no or said.contract_no,
        notes=notes,
    )


_COLUMNS = tuple(
    replace(column, required=column.required and column.name not in _OPTIONAL) for column in cq_compute_1.COLUMNS
)
_QR_COLUMNS = tuple(replace(column, required=column.required and column.name not in _PARTIAL) for column in _COLUMNS)
_NAMES = tuple(column.name for column in _COLUMNS)
HEADER = Header("", 1, _NAMES, tuple(range(len(_NAMES))))
"""The template's header, under which a document's lines stand."""


def _rows(paper: Paper) -> Iterator[list[Any]]:
    """Write the lines of a paper as rows of the template, what they share cleaned once."""
    words = {"blue": "蓝字", "red": "红字"}
    before = [
        cq_compute_1.NAME, paper.number, words.get(paper.kind, paper.kind), day(paper.issued_on), paper.provider_uscc,
        paper.provider_name, paper.company_uscc, paper.company_name, paper.contract_no, paper.service_from,
        paper.service_until,
    ]  # fmt: skip
    before, behind = list(map(clean, before)), ["", clean(paper.original_number), clean(paper.remark)]
    for line in paper.lines:
        cells = [
            line.tax_code, line.item, line.spec, line.unit, quantity(line.quantity), line.net, line.rate, line.tax,
            line.gross,
        ]  # fmt: skip
        yield [*before, *map(clean, cells), *behind]


def chunks(papers: Sequence[Paper], today: date) -> list[ParsedChunk]:
    """Return the rows of each document, numbered as its lines, with what is wrong with them. today: the business day.

    All documents are read at once, and each is given its own.
    """
    found: dict[int, ParsedChunk] = {}
    for qr in (False, True):
        places = [place for place, paper in enumerate(papers) if (paper.evidence == "qr") == qr]
        if places:
            found |= zip(places, _parsed([papers[place] for place in places], qr, today), strict=True)
    return [found[place] for place in range(len(papers))]


def _parsed(papers: Sequence[Paper], qr: bool, today: date) -> list[ParsedChunk]:
    starts = [0, *accumulate(len(paper.lines) for paper in papers)]
    owner = [place for place, paper in enumerate(papers) for _ in paper.lines]

    def rules(values: Values, today: date) -> Iterator[Finding]:
        for place, paper in enumerate(papers):
            last = len(paper.lines) - 1
            for fault in paper.faults:
                line = starts[place] + min(max(fault.line - 1, 0), last)
                yield Finding(line, fault.code, fault.column, fault.value, tuple(fault.extra.items()))
        # a red-letter may hold positive discount lines; its sum is judged with the books. A document without
        # tax codes waits anyway, so it need not name its parties, nor the invoice that it reverses.
        coded = {owner[row] for row, code in enumerate(values["tax_code"]) if code}
        for place in sorted(coded):
            for column, party in (
                ("provider_uscc", papers[place].provider_uscc), ("company_uscc", papers[place].company_uscc),
            ):  # fmt: skip
                if not clean_id(party):
                    yield Finding(starts[place], "required", column)
        for found in check_rows(values, today):
            if found.code == "red_not_negative":
                continue
            if found.code != "red_needs_original" or owner[found.index] in coded:
                yield found

    cells: list[list[Any]] = [row for paper in papers for row in _rows(paper)]
    parser = ChunkParser(_QR_COLUMNS if qr else _COLUMNS, HEADER, rules, today)
    whole = parser.parse(Batch("", range(1, len(cells) + 1), None, cells, "utf-8"))
    return [whole.part(start, end) for start, end in pairwise(starts)]


def blocking(paper: Paper) -> list[Fault]:
    """List the faults of a document that stop it as a whole."""
    return [fault for fault in paper.faults if CATALOGUE[fault.code].severity == "blocking"]

"""Read an export of many invoices: its own columns in, our staged fields out, its rows as uploaded beside them.

Each row becomes a row of the columns below, made of its cells; the row as uploaded goes back in the return file.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations, groupby
from operator import itemgetter
from pathlib import Path

from importers.cells import NO_RATE, Cell, show
from importers.chunks import ChunkParser, Finding, ParsedChunk, Values
from importers.columns import HEADER_WITHIN, Column, Header, header_name
from importers.limits import LIMITS
from importers.messages import make
from importers.papers import decimal, quantity, tax, yuan
from importers.parts import Part
from importers.remarks import read_remark
from importers.rules import check_table
from importers.sheets import UNIT, Batch, batches, head
from importers.text import LOST, clean, clean_id
from voucher.money import format_yuan
from voucher.problem import Problem

COLUMNS: tuple[Column, ...] = (
    Column("数电发票号码", "invoice_number", "id", True),
    Column("是否正数发票", "invoice_kind", "choice", True, (("是", "blue"), ("否", "red"))),
    Column("开票日期", "issued_on", "day", True),
    Column("销方识别号", "provider_uscc", "uscc", True),
    Column("销方名称", "provider_name", "text"),
    Column("购方识别号", "company_uscc", "uscc", True),
    Column("购买方名称", "company_name", "text"),
    Column("税收分类编码", "tax_code", "tax_code"),
    Column("货物或应税劳务名称", "item", "text"),
    Column("规格型号", "spec", "text"),
    Column("单位", "unit", "text"),
    Column("数量", "usage_qty", "number"),
    Column("金额", "net_fen", "money", True),
    Column("税率", "rate_bp", "rate"),
    Column("税额", "tax_fen", "money", True),
    Column("价税合计", "gross_fen", "money", True),
    Column("备注", "remark", "text"),
    Column("发票状态", "", "text"),
    Column("发票风险等级", "", "text"),
    Column("合同", "contract_no", "reference"),
)
"""All but the last are the export's own; that one is read out of 备注, as days and reversed invoice are later on."""
NEEDED = ("发票代码", "发票号码", "数电发票号码", "销方识别号", "购方识别号", "开票日期", "金额", "税额", "价税合计")
_HEADER = Header("", 1, tuple(c.name for c in COLUMNS), tuple(range(len(COLUMNS))))
_OF_INVOICE = (1, 16, 17, 18)
"""Columns about the invoice as a whole: 是否正数发票, 备注, 发票状态, 发票风险等级."""
_LINES = "税收分类编码"
"""The column that a sheet of lines has."""
_OF_INVOICES = "基础信息"
"""In the name of the sheet with one row per invoice: its totals are no lines, even where it has all their columns."""
_PARTLY = re.compile("部分")
_REVERSED = re.compile("红冲|冲红")
_VOID = re.compile("作废")


class Export:
    """One export while it is read. name: of a header cell; matches: tells a header row; today: the business day."""

    def __init__(self, name: Callable[[Cell], str], matches: Callable[[Sequence[str]], bool], today: date) -> None:
        self._name, self._matches, self._today = name, matches, today
        self._summing = False
        self._said: dict[Cell, Mapping[int, Cell]] = {}
        self._totals: dict[str, int] = {}
        self._sums: dict[str, dict[str, int]] = {}
        self._seen: dict[str, tuple[str, int]] = {}

    def read(self, path: Path, kind: str) -> Iterator[Part]:
        """Yield the chunks of the sheet of lines (of invoices, when there is no other), then what does not agree."""
        of_invoices = self._sheets_of_invoices(path, kind)
        self._summing = kind == "xlsx"
        header: Header | None = None
        sheet: str | None = None
        rows = 0
        for batch in batches(path, kind):
            if not isinstance(batch, Batch):
                yield batch
                return
            if batch.sheet != sheet:
                sheet, header = batch.sheet, self._header(batch)
                if header is not None and (problems := self._header_problems(header)):
                    yield from problems
                    return
                batch = batch if header is None else batch.below(header.row_no)
            if header is None:
                continue
            if batch.sheet in of_invoices:
                self._remember(header, batch)
            elif batch.row_nos:
                rows += len(batch.row_nos)
                yield self._chunk(header, batch)
        if not rows:
            yield make("no_rows") if sheet is not None else make("empty_file")
        yield from self._disagreements()

    def _sheets_of_invoices(self, path: Path, kind: str) -> frozenset[str]:
        """Name the sheets whose rows are no lines: all others beside one that has lines.

        What they say of an invoice is kept beforehand where a sheet of lines that lacks it comes first.
        """
        if kind == "csv":
            return frozenset()
        found: dict[str, bool] = {}
        lacking = early = False
        for sheet, rows in groupby(head(path, kind, HEADER_WITHIN), key=itemgetter(0)):
            header = self._find(sheet, [(row_no, row) for _, row_no, row in rows])
            if header is None:
                continue
            found[sheet] = lines = self._has_lines(header, sheet)
            lacking = lacking or (lines and None in [header.positions[place] for place in _OF_INVOICE])
            early = early or (lacking and not lines)
        if True not in found.values():
            return frozenset()
        others = frozenset(sheet for sheet, lines in found.items() if not lines)
        if early:
            self._keep_said(path, kind, others)
        return others

    def _keep_said(self, path: Path, kind: str, of_invoices: frozenset[str]) -> None:
        """Keep what the sheets of invoices say, before any line is read."""
        header: Header | None = None
        for batch in batches(path, kind):
            if not isinstance(batch, Batch) or batch.sheet not in of_invoices:
                continue
            header = self._header(batch) if batch.first else header
            if header is not None:
                self._remember(header, batch.below(header.row_no) if batch.first else batch, total=False)

    def _header(self, batch: Batch) -> Header | None:
        """Find the header among the first rows of a sheet; its positions are those of our columns and of the codes."""
        top = batch.row_nos[:HEADER_WITHIN]
        size = sum(row_no <= HEADER_WITHIN for row_no in top)
        small = Batch(
            batch.sheet, batch.row_nos[:size], None if batch.lines is None else batch.lines[:size],
            None if batch.cells is None else batch.cells[:size], batch.codec,
        )  # fmt: skip
        return self._find(batch.sheet, zip(small.row_nos, small.plain_rows(), strict=True))

    def _find(self, sheet: str, top: Iterable[tuple[int, Sequence[Cell]]]) -> Header | None:
        """Find the header among numbered rows."""
        for row_no, row in top:
            shown = [show(cell).strip() for cell in row]
            while shown and not shown[-1]:
                shown.pop()
            if self._matches(shown):
                places = {self._name(cell): place for place, cell in reversed(list(enumerate(shown)))}
                wanted = (*(column.name for column in COLUMNS), "发票代码", "发票号码")
                return Header(sheet, row_no, tuple(shown), tuple(places.get(name) for name in wanted))
        return None

    def _has_lines(self, header: Header, sheet: str) -> bool:
        """Tell whether the rows of a sheet are lines: not those of the sheet of invoices."""
        place = [column.name for column in COLUMNS].index(_LINES)
        return header.positions[place] is not None and _OF_INVOICES not in sheet

    def _header_problems(self, header: Header) -> list[Problem]:
        """List the needed columns that a header lacks, and those that it has twice: nobody knows which one holds.

        What has too many columns lacks nothing we could name.
        """
        shown = [header_name(cell) for cell in header.cells[: LIMITS.columns]]
        names = [self._name(cell) for cell in shown]
        known = {*NEEDED, *(column.name for column in COLUMNS)}
        twice = [name for name in dict.fromkeys(shown) if shown.count(name) > 1 and self._name(name) in known]
        faults = {"missing_columns": [name for name in NEEDED if name not in names], "duplicate_columns": twice}
        return [
            make(code, value="、".join(wrong), row=header.row_no, sheet=header.sheet)
            for code, wrong in faults.items()
            if wrong
        ]

    def _chunk(self, header: Header, batch: Batch) -> ParsedChunk:
        """Parse a batch under our columns; raws and header are those of the upload."""
        rows = batch.plain_rows()
        cells = [_own_cells(header, row, self._said) for row in rows]
        _fill_contracts(cells)
        lost = [place for place, row in enumerate(rows) if not _fits(header, row)]

        def rules(values: Values, today: date) -> Iterator[Finding]:
            yield from (found for found in check_table(values, today) if found.code != "red_not_negative")
            yield from _states(cells)
            for place in lost:
                width = (("width", len(header.cells)),)
                yield Finding(place, "too_many_cells", "", str(len(rows[place])), width)

        own = replace(_HEADER, sheet=header.sheet)
        parsed = ChunkParser(COLUMNS, own, rules, self._today).parse(
            Batch(batch.sheet, batch.row_nos, None, cells, "utf-8")
        )
        self._add(parsed)
        raws = [UNIT.join(clean(show(cell)).replace(UNIT, LOST) for cell in row) for row in rows]
        return replace(parsed, header=header, raws=raws)

    def _remember(self, header: Header, batch: Batch, *, total: bool = True) -> None:
        """Keep of each invoice of the sheet of invoices its total, and what the sheet of lines may not have."""
        for row in batch.plain_rows():
            cells = _own_cells(header, row, {})
            self._said[cells[0]] = {place: cells[place] for place in _OF_INVOICE}
            number, gross = cells[0], decimal(str(cells[15]))
            if total and isinstance(number, str) and number and gross is not None and gross * 100 == int(gross * 100):
                self._totals[number] = self._totals.get(number, 0) + int(gross * 100)

    def _add(self, parsed: ParsedChunk) -> None:
        """Add up the lines of each invoice; only needed when there may be a sheet to hold them against."""
        if not self._summing:
            return
        numbers, amounts = parsed.column("invoice_number"), parsed.column("gross_fen")
        for row_no, number, gross in zip(parsed.row_nos, numbers, amounts, strict=True):
            if number is not None and isinstance(gross, int):
                sums = self._sums.setdefault(str(number), {})
                sums[parsed.sheet] = sums.get(parsed.sheet, 0) + gross
                self._seen.setdefault(str(number), (parsed.sheet, row_no))

    def _disagreements(self) -> Iterator[Part]:
        """Yield the invoices whose lines are there twice, do not add up to the sheet of invoices, or are missing."""
        for number, sums in self._sums.items():
            for sheet, other in combinations(sums, 2):
                if sums[sheet] == sums[other]:  # totals and lines, or the same lines again: one too many
                    yield make("export_sheets_repeat", value=number, sheet=sheet, other=other)
                    return
        for number, total in self._totals.items():
            if number not in self._sums:
                yield make("export_lines_missing", value=number, invoice_number=number)
            elif (added := sum(self._sums[number].values())) != total:
                sheet, row_no = self._seen[number]
                yield make(
                    "export_totals_differ", row=row_no, column="价税合计", value=format_yuan(added),
                    invoice_number=number, sheet=sheet, total=format_yuan(total),
                )  # fmt: skip


def _fits(header: Header, row: Sequence[Cell]) -> bool:
    """Tell whether a row has nothing beyond the header's last column."""
    return not any(show(cell).strip() for cell in row[len(header.cells) :])


def _own_cells(header: Header, row: Sequence[Cell], said: Mapping[Cell, Mapping[int, Cell]]) -> list[Cell]:
    """Return a row's cells in the order of COLUMNS, with number, quantity and what 备注 says filled in.

    said: by number what another sheet says of the invoice, for columns that this one does not have.
    """

    def cell(place: int | None) -> Cell:
        return row[place] if place is not None and place < len(row) else ""

    cells = [cell(place) for place in header.positions[: len(COLUMNS)]]
    cells[0] = _number(cells[0], cell(header.positions[-2]), cell(header.positions[-1]))
    for place, stated in said.get(cells[0], {}).items():
        if header.positions[place] is None:
            cells[place] = stated
    if header.positions[1] is None and not cells[1]:
        gross = decimal(show(cells[15]))
        cells[1] = "否" if gross is not None and gross < 0 else "是"
    cells[11] = quantity(clean(cells[11] if isinstance(cells[11], str) else f"{Decimal(show(cells[11])):f}"))
    if cells[14] == "" and clean_id(show(cells[13])) in NO_RATE:
        cells[14] = "0"
    for place, reading in ((12, decimal), (14, tax), (15, decimal)):
        amount = reading(cells[place]) if isinstance(cells[place], str) else None  # type: ignore[arg-type]
        cells[place] = cells[place] if amount is None else yuan(amount)
    cells[19] = read_remark(show(cells[16])).contract_no
    return cells


def _fill_contracts(cells: Sequence[list[Cell]]) -> None:
    """Give each row of an invoice the contract that one of them names; an invoice may have its remark on any row."""
    named: dict[Cell, set[Cell]] = {}
    for row in cells:
        if row[19]:
            named.setdefault(row[0], set()).add(row[19])
    for row in cells:
        if not row[19] and len(found := named.get(row[0], set())) == 1:
            row[19] = next(iter(found))


def _number(digital: Cell, code: Cell, number: Cell) -> Cell:
    """Return 20 digits, else code-number; a number kept as a float stays one, for the reader to refuse."""
    if show(digital).strip():
        return digital
    if not isinstance(number, str) or not isinstance(code, str):
        return number if not isinstance(number, str) else code
    code, number = clean_id(code), clean_id(number)
    return f"{code}-{number}" if code and number else number


def _states(cells: Sequence[Sequence[Cell]]) -> Iterator[Finding]:
    """Yield what 发票状态 and 发票风险等级 say against a row."""
    for place, row in enumerate(cells):
        state, risk, red = clean(show(row[17])), clean(show(row[18])), clean_id(show(row[1])) == "否"
        if _VOID.search(state):
            yield Finding(place, "void_invoice", "发票状态", state)
        elif _REVERSED.search(state) and not red:
            code = "partly_reversed" if _PARTLY.search(state) else "reversed_blue"
            yield Finding(place, code, "发票状态", state)
        if risk and risk not in ("正常", "无风险", "-", "--"):
            yield Finding(place, "risky_invoice", "发票风险等级", risk)

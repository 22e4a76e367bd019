"""Read a usage file: line by line judged, added up by invoice, days and unit; memory does not grow with the file.

A cloud's bill has a line for each resource and hour. What settlement asks is how much was used of an invoice on each
day, so that is what is kept: the lines themselves stay in the document, which is kept by its hash. A line that fails
is named with its row and reason and is in no sum; a warning that many lines share is one problem with their number.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, repeat
from pathlib import Path
from typing import Any

from importers import cells, text
from importers.catalogue import CATALOGUE
from importers.cells import Cell
from importers.chunks import by_column
from importers.columns import HEADER_WITHIN, Column, Header, header_name, match_header
from importers.messages import make
from importers.parts import UsageChunk, UsageKey
from importers.sheets import Batch, batches
from importers.text import Codec, clean_id
from importers.usage_cells import Instants, Memo, day_of, read_parts, read_unit, read_word
from importers.usage_profile import Profile
from voucher.problem import Problem
from voucher.uscc import check

Said = tuple[str, str, str]
"""Code, column and value of what a rule says of a line."""
Judge = Callable[..., Iterable[Said]]
KEYS = 50_000
"""Sums that are kept before they are handed on."""
MOST_FAULTS = 10_000
"""Lines with a fault from which on the file as a whole is refused: what is wrong is then wrong with all of it."""
LONGEST_DAYS = 3_660
NUMBER, AMOUNT, QUANTITY = "发票号码", "#amount", "#quantity"
"""The name of the number where the file has no column of it; the signs (-, 0, + or nothing) of two cells."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule about the cells of one line. columns: headings, or #amount and #quantity; judge: given them as text.

    A heading that the file does not have gives None. Each distinct line of these cells is judged once.
    """

    columns: tuple[str, ...]
    judge: Judge


About = Callable[[Header], Iterable[Problem]]


def read_usage(
    path: Path, kind: str, profile: Profile, rules: Sequence[Rule], *, invoice: str, about: About
) -> Iterator[UsageChunk | Problem]:
    """Yield the sums and problems of a usage file. kind: csv or xlsx. invoice: of lines that name none.

    about: what is to be said of the header. Never raises for what is in the file; a blocking problem may come last.
    """
    reading: _Reading | None = None
    lacking: list[Header] = []
    others: list[str] = []
    for batch in batches(path, kind):
        if isinstance(batch, Problem):
            yield batch
            return
        if batch.first and (header := _header(batch, profile)) is not None:
            batch = batch.below(header.row_no)
            if profile.missing(header.cells):
                lacking.append(header)
            elif reading is not None and reading.lines:
                others += [header.sheet] if batch.row_nos else []
            elif header.duplicated:
                yield _wrong(header, "duplicate_columns", header.duplicated)
                return
            else:
                yield from about(header)
                reading = _Reading(profile, rules, header, batch.codec, invoice)
        elif batch.first and reading is not None and reading.goes_on(batch):
            others.append(batch.sheet)
        if reading is not None and batch.sheet == reading.sheet and batch.row_nos:
            reading.take(batch)
            if reading.full:
                yield reading.flush()
            if reading.faults > MOST_FAULTS:
                yield reading.flush()
                yield make("usage_too_many_faults", limit=MOST_FAULTS)
                return
        if reading is None and kind == "csv":
            break
    if reading is not None and reading.lines:
        for name in [*(each.sheet for each in lacking), *others]:
            yield make("other_sheet_ignored", value=name, sheet=name)
        yield reading.flush(last=True)
    elif lacking:
        yield _wrong(lacking[0], "missing_columns", profile.missing(lacking[0].cells))
    elif reading is not None:
        yield make("no_rows")
    else:
        yield make("missing_columns", value="、".join([*profile.missing(()), *profile.telling[:1]]))


def _wrong(header: Header, code: str, names: Sequence[str]) -> Problem:
    return make(code, value="、".join(names), row=header.row_no, sheet=header.sheet)


def _header(batch: Batch, profile: Profile) -> Header | None:
    """Find the header among the first rows of a sheet."""
    for row_no, row in zip(batch.row_nos, batch.plain_rows(), strict=True):
        if row_no > HEADER_WITHIN:
            return None
        words = [str(cell) for cell in row]
        if profile.matches(words):
            columns = [Column(name, "", "text") for name in profile.headings(words).values()]
            return match_header(columns, batch.sheet, row_no, row)
    return None


class _Reading:
    """Where the reading of a file stands: its sums, its faulty lines, its warnings."""

    def __init__(self, profile: Profile, rules: Sequence[Rule], header: Header, codec: Codec, invoice: str) -> None:
        self._profile = profile
        self._header = header
        self._codec = codec
        self._invoice = invoice
        self._headings = profile.headings(header.cells)
        places = {header_name(cell): place for place, cell in reversed(list(enumerate(header.cells)))}
        self._places = {field: places[header_name(name)] for field, name in self._headings.items()}
        self._rules: list[tuple[Rule, list[int | None], dict[tuple[Any, ...], list[Said]]]] = [
            (rule, [places.get(header_name(name)) for name in rule.columns], {}) for rule in rules
        ]
        self._memos: dict[str, Memo] = {
            "number": Memo(_read_number, codec), "amount": Memo(read_parts, codec, summed=True),
            "quantity": Memo(read_parts, codec, summed=True),
            "from": Memo(Instants(profile.zone, closing=False, utc_only=profile.utc), codec),
            "until": Memo(Instants(profile.zone, closing=profile.last_day, utc_only=profile.utc), codec),
            "unit": Memo(read_unit, codec), "currency": Memo(_currency(profile), codec),
            "company": Memo(_read_company, codec),
        }  # fmt: skip
        self._words = Memo(lambda cell: (read_word(cell)[0], None), codec)
        self._spans: dict[tuple[Any, Any], tuple[int, int] | str] = {}
        self._sums: dict[UsageKey, list[int]] = {}
        self._companies: set[tuple[str, str]] = set()
        self._failed: list[tuple[int, str, str]] = []
        self._problems: list[Problem] = []
        self._warnings: dict[tuple[str, str], list[Any]] = {}
        self._taken = 0
        self.lines = self.faults = 0

    @property
    def sheet(self) -> str:
        """Name of the sheet that is read."""
        return self._header.sheet

    @property
    def full(self) -> bool:
        """Tell whether enough sums are there to be handed on."""
        return len(self._sums) >= KEYS

    def goes_on(self, batch: Batch) -> bool:
        """Tell whether a sheet without a header goes on where this one has ended: it has amounts and times there."""
        amount, start = (self._places[field] for field in ("amount", "from"))
        return any(
            max(amount, start) < len(row)
            and self._memos["amount"][row[amount]] is not None
            and self._memos["from"][row[start]] is not None
            for row in batch.plain_rows()
        )

    def flush(self, *, last: bool = False) -> UsageChunk:
        """Hand on what was added up; with the last chunk the warnings."""
        if last:
            for (code, column), (row, value, count) in self._warnings.items():
                self._problems.append(make(code, row=row, column=column, value=value, count=count))
        chunk = UsageChunk(
            self._header, self._taken, self._sums, frozenset(self._companies), self._failed, self._problems
        )
        self._sums, self._companies, self._failed, self._problems, self._taken = {}, set(), [], [], 0
        return chunk

    def take(self, batch: Batch) -> None:
        """Judge and add up the lines of a batch."""
        raws, columns, misfits = by_column(batch, len(self._header.cells), self._codec)
        size = len(batch.row_nos)
        said: list[tuple[int, Said]] = [(i, (each.code, "", each.value)) for i, each in misfits.items()]
        values = {field: self._column(field, columns, size, said) for field in self._memos}
        numbers = [number or self._invoice for number in values["number"]]
        spans = self._span_column(values["from"], values["until"], said)
        said += [(i, ("usage_number_missing", self._name("number"), "")) for i in _empty(numbers)]
        said += [(i, ("required", self._name("amount"), "")) for i in _empty(values["amount"])]
        for rule, places, known in self._rules:
            said += self._judged(rule, places, known, columns, values, size)
        failed = self._tell([each for each in said if each[0] not in misfits or not each[1][1]], batch, numbers, raws)
        if "company" in self._places:
            pairs = set(zip(numbers, values["company"], strict=True))
            self._companies |= {pair for pair in pairs if pair[0] and pair[1]}
        self._add(numbers, spans, values, failed, size)
        self.lines += size
        self._taken += size

    def _name(self, field: str) -> str:
        place = self._places.get(field)
        return NUMBER if place is None else self._header.cells[place]

    def _column(
        self, field: str, columns: Sequence[Sequence[Cell]], size: int, said: list[tuple[int, Said]]
    ) -> list[Any]:
        """Return the values of a field; what is wrong with its cells is added to what is said."""
        place = self._places.get(field)
        if place is None:
            return [None] * size
        memo, column, name = self._memos[field], columns[place], self._name(field)
        values = memo.column(column)
        said += [(i, (code, name, self._shown(column[i]))) for i, code in memo.noted(column)]
        return values

    def _shown(self, cell: Cell) -> str:
        return text.plain(cells.show(cell), self._codec)

    def _span_column(self, starts: Sequence[Any], ends: Sequence[Any], said: list[tuple[int, Said]]) -> list[Any]:
        """Return the first and last day of each line, from its two instants."""
        if len(self._spans) > Memo.LIMIT:
            self._spans.clear()
        pairs = list(zip(starts, ends, strict=True))
        for pair in set(pairs) - self._spans.keys():
            self._spans[pair] = _days(*pair)
        wrong = {pair: fate for pair in set(pairs) if isinstance(fate := self._spans[pair], str)}
        if wrong:
            said += [(i, (wrong[pair], self._name("from"), "")) for i, pair in enumerate(pairs) if pair in wrong]
        return list(map(self._spans.__getitem__, pairs))

    def _judged(
        self, rule: Rule, places: Sequence[int | None], known: dict[tuple[Any, ...], list[Said]],
        columns: Sequence[Sequence[Cell]], values: Mapping[str, Sequence[Any]], size: int,
    ) -> Iterator[tuple[int, Said]]:  # fmt: skip
        """Yield what a rule says of each line."""
        if len(known) > Memo.LIMIT:
            known.clear()
        given: list[Iterable[Any]] = []
        for name, place in zip(rule.columns, places, strict=True):
            if name in (AMOUNT, QUANTITY):
                given.append(map(_sign, values[name[1:]]))
            else:
                given.append(repeat(None, size) if place is None else self._words.column(columns[place]))
        lines = list(zip(*given, strict=True))
        for line in set(lines) - known.keys():
            known[line] = list(rule.judge(*line))
        wrong = {line for line in set(lines) if known[line]}
        if wrong:
            for index, line in enumerate(lines):
                if line in wrong:
                    yield from ((index, each) for each in known[line])

    def _tell(
        self, said: Iterable[tuple[int, Said]], batch: Batch, numbers: Sequence[Any], raws: Sequence[str]
    ) -> set[int]:
        """Make problems of errors and count warnings; return the lines that fail."""
        failed: set[int] = set()
        first: set[tuple[int, str]] = set()
        for index, (code, column, value) in sorted(said, key=lambda each: each[0]):
            row = batch.row_nos[index]
            if CATALOGUE[code].severity == "warning":
                entry = self._warnings.setdefault((code, column), [row, value, 0])
                entry[2] += 1
                continue
            if (index, column) in first:
                continue
            first.add((index, column))
            if index not in failed:
                failed.add(index)
                self.faults += 1
                self._failed.append((row, str(numbers[index] or ""), text.plain(raws[index], self._codec)))
            if len(self._problems) < 2 * MOST_FAULTS:
                self._problems.append(
                    make(
                        code, row=row, column=column, value=value, invoice_number=str(numbers[index] or ""),
                        sheet=batch.sheet, width=len(self._header.cells), words="、".join(self._profile.currency),
                    )
                )  # fmt: skip
        return failed

    def _add(
        self, numbers: Sequence[Any], spans: Sequence[Any], values: Mapping[str, Sequence[Any]],
        failed: set[int], size: int,
    ) -> None:  # fmt: skip
        """Add the good lines to the sums."""
        units = values["unit"] if "unit" in self._places else [""] * size
        named = self._profile.units or {}
        if named:
            units = [named.get(str(unit), unit) for unit in units]
        lines: Iterable[tuple[Any, ...]] = zip(numbers, spans, units, values["amount"], values["quantity"], strict=True)
        if failed:
            lines = compress(lines, [index not in failed for index in range(size)])
        sums = self._sums
        for number, span, unit, amount, quantity in lines:
            key = (number, *span, unit)
            if (entry := sums.get(key)) is None:
                sums[key] = [1, quantity or 0, amount]
            else:
                entry[0] += 1
                entry[1] += quantity or 0
                entry[2] += amount


def _empty(values: Sequence[Any]) -> list[int]:
    """Return where a column has nothing."""
    if None not in values and "" not in values:
        return []
    return [index for index, value in enumerate(values) if value is None or value == ""]


def _sign(value: Any) -> str:
    return "" if value is None else "0" if value == 0 else "-" if value < 0 else "+"


def _read_number(cell: str) -> tuple[str, str | None]:
    """Read the number of an invoice; nothing and words for nothing give none."""
    word, code = read_word(clean_id(cell))
    if not word:
        return "", code
    value, wrong = cells.read_invoice_number(word)
    return str(value or ""), wrong


def _read_company(cell: str) -> tuple[str, str | None]:
    """Read who used it; an account's id that is no unified social credit code names nobody we know."""
    word = clean_id(cell).upper()
    return ("" if check(word) == "bad" else word), None


def _currency(profile: Profile) -> Callable[[str], tuple[str, str | None]]:
    """Make the reader of a currency: yuan, by any of the profile's words; nothing is taken for it."""
    words = {word.upper() for word in profile.currency}

    def read(cell: str) -> tuple[str, str | None]:
        word = clean_id(cell)
        return word, None if not word or word.upper() in words else "usage_currency"

    return read


def _days(start: Any, end: Any) -> tuple[int, int] | str:
    """Return the first and last day of a line, or the code of what is wrong; without an end it is its first second."""
    if start is None:
        return "usage_time_missing"
    end = start if end is None else end
    if end < start:
        return "usage_period_reversed"
    days = day_of(start), day_of(max(start, end - 1))
    return "usage_period_long" if days[1] - days[0] >= LONGEST_DAYS else days

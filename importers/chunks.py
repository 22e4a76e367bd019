"""Some thousand rows at a time: cells in, typed columns, digests, problems and COPY lines out."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from itertools import repeat
from operator import methodcaller

from importers import cells, text
from importers.catalogue import CATALOGUE
from importers.cells import Cell, Value
from importers.columns import STAGED, Column, ColumnReader, Header
from importers.messages import make
from importers.remarks import said_in_rows
from importers.sheets import UNIT, Batch
from importers.text import Codec
from voucher.problem import Problem

NULL = "\\N"
_CONTROLS = text.CONTROLS.replace(UNIT.encode(), b"")
_KEPT_CONTROLS = dict.fromkeys([code for code in range(0x20) if code not in (0x09, 0x0A, 0x0D)] + [0x7F], text.LOST)
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_COLUMN_NAMES = {staged.name: staged.column for staged in STAGED}
_VITAL = {"invoice_number", "net_fen", "tax_fen", "gross_fen"}
_COUNT_UNITS = methodcaller("count", UNIT)

Values = Mapping[str, Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of one row before it becomes a Problem.

    index: of the row within the chunk. column: a staged field, a header text, or empty for the row.
    """

    index: int
    code: str
    column: str = ""
    value: str = ""
    extra: tuple[tuple[str, object], ...] = ()


Rules = Callable[[Values, date], Iterable[Finding]]


class Stretch(Mapping[str, Sequence[Value]]):
    """The values of a stretch of rows, cut when they are asked for: of many small parts few are."""

    def __init__(self, values: Values, start: int, end: int) -> None:
        self._values, self._start, self._end = values, start, end

    def __getitem__(self, name: str) -> Sequence[Value]:
        """Return a column of the stretch."""
        return self._values[name][self._start : self._end]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Count the columns."""
        return len(self._values)


@dataclass(frozen=True, slots=True)
class ParsedChunk:
    """Rows of one sheet. values: per staged field a column; the other sequences run along the rows.

    raws: the cells as uploaded, joined by UNIT. bodies: the typed fields as COPY text with tabs between.
    digests: 32 hex digits over the bodies. failed: indexes of rows that have an error.
    Texts of values, raws and bodies stand in `codec`; `raw_cells` and `column` give ordinary text.
    simple: no raw holds a character that COPY escapes.
    """

    header: Header
    row_nos: Sequence[int]
    raws: Sequence[str]
    values: Values
    bodies: Sequence[str]
    digests: Sequence[str]
    problems: Sequence[Problem]
    failed: frozenset[int]
    codec: Codec
    simple: bool = False

    @property
    def sheet(self) -> str:
        """Name of the sheet, empty for csv."""
        return self.header.sheet

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.row_nos)

    def part(self, start: int, end: int) -> "ParsedChunk":
        """Return the rows of a stretch by themselves, numbered from 1."""
        first = self.row_nos[start]
        place = bisect_left(self.problems, first, key=_row)
        until = bisect_right(self.problems, self.row_nos[end - 1], key=_row)
        return ParsedChunk(
            self.header,
            range(1, end - start + 1),
            self.raws[start:end],
            Stretch(self.values, start, end),
            self.bodies[start:end],
            self.digests[start:end],
            [replace(p, row=_row(p) - first + 1) for p in self.problems[place:until]],
            frozenset(index - start for index in range(start, end) if index in self.failed),
            self.codec,
            self.simple,
        )

    def column(self, name: str) -> list[Value]:
        """Return the values of a staged field in ordinary text."""
        return [text.plain(v, self.codec) if isinstance(v, str) else v for v in self.values[name]]

    def raw_cells(self, index: int) -> list[str]:
        """Return one row as uploaded."""
        return text.plain(self.raws[index], self.codec).split(UNIT)


def _row(problem: Problem) -> int:
    return problem.row or 0


def digest(bodies: Sequence[str], codec: Codec = "utf-8") -> list[str]:
    """Return the identity of each row's content: blake2b of 16 bytes over its typed fields in UTF-8, as hex."""
    fresh = blake2b(digest_size=16).copy
    found = []
    for line in "\n".join(bodies).encode(codec).split(b"\n") if bodies else ():
        state = fresh()
        state.update(line)
        found.append(state.hexdigest())
    return found


def _constant(column: Sequence[Value]) -> bool:
    """Tell whether a column holds the same value in every row."""
    return column[0] == column[-1] and column.count(column[0]) == len(column)


def bodies_of(values: Values, *, escape: bool = True) -> list[str]:
    """Join the typed fields of each row in the order of STAGED, as COPY text.

    escape: whether a backslash may occur in a text field (typed texts never hold tabs or line ends).
    Neighbours that are the same in every row are joined once.
    """
    size = len(values[STAGED[0].name])
    texts: list[Iterable[str]] = []
    constants: list[str] = []
    for staged in STAGED if size else ():
        column = values[staged.name]
        if escape and staged.sql == "text":
            column = [value.replace("\\", "\\\\") if isinstance(value, str) else value for value in column]
        if _constant(column):
            constants.append(NULL if column[0] is None else str(column[0]))
            continue
        if constants:
            texts.append(repeat("\t".join(constants), size))
            constants = []
        if None in column:
            texts.append([NULL if value is None else str(value) for value in column])
        else:
            texts.append(column if staged.sql in ("text", "date") else map(str, column))  # type: ignore[arg-type]
    if constants:
        texts.append(repeat("\t".join(constants), size))
    return list(map("\t".join, zip(*texts, strict=True)))


def _raws(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Join each row's cells as uploaded; a UNIT within a cell is lost."""
    try:
        raws = list(map(UNIT.join, rows))  # type: ignore[arg-type]
    except TypeError:
        return _raws([list(map(cells.show, row)) for row in rows])
    if sum(map(_COUNT_UNITS, raws)) != sum(map(len, rows)) - len(rows):
        return [UNIT.join(str(cell).replace(UNIT, text.LOST) for cell in row) for row in rows]
    return raws


def _raws_by_column(columns: Sequence[Sequence[Cell]]) -> list[str]:
    """Join the cells of each row as `_raws` does, from columns of the same length, which are shown faster."""
    return _raws(list(zip(*map(_shown_column, columns), strict=True)))


def _shown_column(column: Sequence[Cell]) -> Sequence[str]:
    """Write a column of a workbook as Excel shows it."""
    types = set(map(type, column))
    if types == {float}:
        return list(map(cells.NUMERIC.format, column))
    return column if types == {str} else list(map(cells.show, column))  # type: ignore[return-value]


def _storable(raws: list[str], codec: Codec) -> list[str]:
    """Replace control characters other than tab and line ends, which a database would refuse or a person not see."""
    data = "\n".join(raws).encode(codec)
    if len(data.translate(None, _CONTROLS)) == len(data):
        return raws
    kept = {code: lost for code, lost in _KEPT_CONTROLS.items() if code != ord(UNIT)}
    return [raw.translate(kept) for raw in raws]


class ChunkParser:
    """Parse the rows under one header into chunks; remembers the distinct cells of each column."""

    def __init__(
        self, columns: Sequence[Column], header: Header, rules: Rules, today: date, codec: Codec = "utf-8",
        constants: Mapping[str, Value] | None = None,
    ) -> None:  # fmt: skip
        self.header = header
        self._rules = rules
        self._today = today
        self._codec: Codec = codec
        self._constants = {
            name: text.wire(value, codec) if isinstance(value, str) else value
            for name, value in (constants or {}).items()
        }
        self._above: Value = None  # the invoice number of the last row that says whose it is
        self._width = len(header.cells)
        self._readers = [
            (ColumnReader(column, codec), place)
            for column, place in zip(columns, header.positions, strict=True)
            if place is not None
        ]
        self._fields = {reader.column.name: reader.column.field for reader, _ in self._readers}
        self.number_at = next((p for r, p in self._readers if r.column.field == "invoice_number"), None)

    def parse(self, batch: Batch) -> ParsedChunk:
        """Return the chunk of these rows. Every row stays; what is wrong with it is in `problems`."""
        size = len(batch.row_nos)
        raws, columns, misfits = by_column(batch, self._width, self._codec)
        values: dict[str, Sequence[Value]] = {}
        findings: list[Finding] = []
        for reader, place in self._readers:
            column = columns[place]
            parsed = reader.read(column)
            if reader.column.field:
                values[reader.column.field] = parsed
            if reader.notes and not reader.notes.keys().isdisjoint(column):
                findings.extend(_noted(reader, column, self._codec))
        for staged in STAGED:
            if staged.name not in values:
                values[staged.name] = [self._constants.get(staged.name)] * size
        values |= said_in_rows(values, self._codec)
        self._join_above(values)
        unread = {(finding.index, self._fields.get(finding.column, "")) for finding in findings}
        findings.extend(
            finding
            for finding in self._rules(values, self._today)
            if (finding.index, finding.column) not in unread or values[finding.column][finding.index] is not None
        )  # of a cell that could not be read no rule says that it is empty
        findings = _without_lines(findings, self._fields)
        if misfits:
            findings = [*misfits.values(), *(finding for finding in findings if finding.index not in misfits)]
        numbers = columns[self.number_at] if self.number_at is not None else ()
        return finish(self.header, batch.row_nos, raws, values, findings, numbers, self._codec)

    def _join_above(self, values: dict[str, Sequence[Value]]) -> None:
        """Let a faulty row that names neither invoice nor day nor party fail with the invoice above it.

        Some write these on an invoice's first row only; without its other lines that row is not the whole invoice.
        """
        numbers = values["invoice_number"]
        if None in numbers:
            named = zip(values["issued_on"], values["provider_uscc"], values["company_uscc"], strict=True)
            joined = []
            for number, others in zip(numbers, named, strict=True):
                if number is not None or any(each is not None for each in others):
                    self._above = number
                joined.append(self._above)
            values["invoice_number"] = joined
        elif numbers:
            self._above = numbers[-1]


def _without_lines(findings: list[Finding], fields: Mapping[str, str]) -> list[Finding]:
    """Say once of a row without number and amounts, such as a signature below the table, that it is no line."""
    blank: dict[int, set[str]] = {}
    for finding in findings:
        if finding.code == "required" and fields.get(finding.column) in _VITAL:
            blank.setdefault(finding.index, set()).add(fields[finding.column])
    words = {index for index, names in blank.items() if names == _VITAL}
    if not words:
        return findings
    return [*(f for f in findings if f.index not in words), *(Finding(index, "not_a_line") for index in sorted(words))]


def by_column(batch: Batch, width: int, codec: Codec) -> tuple[list[str], Sequence[Sequence[Cell]], dict[int, Finding]]:
    """Return a batch's raws, its cells by column, and the rows that are not as wide as the header."""
    if batch.lines is not None:
        raws = batch.lines if batch.clean else _storable(batch.lines, codec)
        if set(map(_COUNT_UNITS, batch.lines)) <= {width - 1}:
            whole = UNIT.join(batch.lines) if batch.block is None else batch.block[:-1].replace("\n", UNIT)
            flat = whole.split(UNIT)
            return raws, [flat[place::width] for place in range(width)], {}
    rows = batch.rows()
    even, misfits = _even(rows, width)
    columns = list(zip(*even, strict=True)) or [()] * width
    if batch.lines is None:
        raws = _storable(_raws_by_column(columns) if even is rows and rows else _raws(rows), codec)
    return raws, columns, misfits


def _even(rows: Sequence[list[Cell]], width: int) -> tuple[Sequence[list[Cell]], dict[int, Finding]]:
    """Make all rows as wide as the header; those that were not, and not merely padded, are findings."""
    if set(map(len, rows)) <= {width}:
        return rows, {}
    even: list[list[Cell]] = []
    misfits: dict[int, Finding] = {}
    for index, row in enumerate(rows):
        size = len(row)
        while size > width and not cells.show(row[size - 1]).strip():
            size -= 1
        if size != width:
            code = "too_few_cells" if size < width else "too_many_cells"
            misfits[index] = Finding(index, code, "", str(size), (("width", width),))
        even.append(row[:width] + [""] * (width - size))
    return even, misfits


def _shown(cell: Cell, codec: Codec) -> str:
    """Write a cell for a person: ordinary text without control characters."""
    return text.plain(cells.show(cell), codec).translate(_KEPT_CONTROLS)


def _noted(reader: ColumnReader, column: Sequence[Cell], codec: Codec) -> Iterable[Finding]:
    """Yield a finding for each cell of a column that its reader could not take as it is."""
    notes, name = reader.notes, reader.column.name
    limit = cells.REFERENCE_LIMIT if reader.column.type == "reference" else cells.TEXT_LIMIT
    extra = (("choices", "、".join(word for word, _ in reader.column.choices)), ("limit", limit))
    for index, cell in enumerate(column):
        code = notes.get(cell)
        if code is not None:
            yield Finding(index, code, name, _shown(cell, codec), extra)


def finish(
    header: Header,
    row_nos: Sequence[int],
    raws: Sequence[str],
    values: Values,
    findings: Sequence[Finding],
    numbers: Sequence[Cell] = (),
    codec: Codec = "utf-8",
) -> ParsedChunk:
    """Put a chunk together from typed columns and findings; formats that are no tables come in here.

    numbers: the invoice numbers as uploaded, for problems of rows whose number could not be read.
    """
    joined = UNIT.join(raws)
    backslash = "\\" in joined
    simple = not (backslash or "\t" in joined or "\n" in joined or "\r" in joined)
    bodies = bodies_of(values, escape=backslash or not raws)
    read = values["invoice_number"]
    problems = [
        make(
            finding.code,
            row=row_nos[finding.index],
            column=_COLUMN_NAMES.get(finding.column, finding.column),
            value=finding.value,
            invoice_number=str(read[finding.index] or (numbers and _shown(numbers[finding.index], codec)[:50]) or ""),
            sheet=header.sheet,
            **dict(finding.extra),
        )
        for finding in sorted(findings, key=lambda finding: finding.index)
    ]
    failed = frozenset(f.index for f in findings if CATALOGUE[f.code].severity != "warning")
    return ParsedChunk(header, row_nos, raws, values, bodies, digest(bodies, codec), problems, failed, codec, simple)


def copy_lines(chunk: ParsedChunk, upload_id: int) -> bytes:
    r"""Write a chunk as PostgreSQL COPY text: upload_id, sheet, row_no, raw, digest, the fields of STAGED, has_error.

    Columns end with a tab, NULL is \N, has_error is t or f. UTF-8.
    """
    if not len(chunk):
        return b""
    raws = chunk.raws
    if not chunk.simple:
        raws = [raw.translate(_ESCAPES) for raw in raws]
    flags = ["f\n"] * len(chunk)
    for index in chunk.failed:
        flags[index] = "t\n"
    sheet = text.wire(chunk.sheet, chunk.codec).translate(_KEPT_CONTROLS).translate(_ESCAPES)
    fields = (
        repeat(f"{upload_id}\t{sheet}", len(chunk)),
        map(str, chunk.row_nos),
        raws,
        chunk.digests,
        chunk.bodies,
        flags,
    )
    return "".join(map("\t".join, zip(*fields, strict=True))).encode(chunk.codec)

"""Read a file that is one table with a declared header: find the header, then chunk after chunk."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import repeat
from pathlib import Path

from importers.cells import Value, read_invoice_number
from importers.chunks import ChunkParser, ParsedChunk, Rules
from importers.columns import HEADER_WITHIN, Column, Header, find_header
from importers.limits import LIMITS
from importers.messages import make
from importers.sheets import Batch, batches
from voucher.problem import Problem


def read_table(
    path: Path,
    kind: str,
    columns: Sequence[Column],
    rules: Rules,
    *,
    today: date,
    constants: Mapping[str, Value] | None = None,
) -> Iterator[ParsedChunk | Problem]:
    """Yield the chunks of the first sheet that has rows under the header, and the problems of the file.

    kind: as guard.kind_by_content tells. today: the business day. constants: staged fields that no column fills.
    Bounded memory for csv. Never raises for what is in the file; a blocking problem may come after chunks, so nothing
    is settled before the end.
    """
    if kind not in ("csv", "xlsx"):
        yield make("empty_file") if kind == "empty" else make("not_a_spreadsheet")
        return
    state = _Reading(columns, rules, today, constants or {})
    for batch in batches(path, kind):
        if isinstance(batch, Problem):
            yield batch
            return
        yield from state.take(batch)
        if state.stopped:
            return
    yield from state.end()


class _Reading:
    """Where the reading of a file stands: which sheet has the header, and whether a row was seen."""

    def __init__(self, columns: Sequence[Column], rules: Rules, today: date, constants: Mapping[str, Value]) -> None:
        self._columns = columns
        self._rules = rules
        self._today = today
        self._constants = constants
        self._parser: ChunkParser | None = None
        self._nearest: Header | None = None
        self._lacking: list[Header] = []
        self._any_row = self._any_data = self._here = False
        self.stopped = False

    def take(self, batch: Batch) -> Iterator[ParsedChunk | Problem]:
        """Yield what a batch holds; the first batch of each sheet is searched for the header."""
        self._any_row = self._any_row or bool(batch.row_nos)
        if batch.first:
            header = _find(self._columns, batch)
            self._here = False
            batch = batch if header is None else batch.below(header.row_no)
            if header is not None:
                yield from self._start(header, batch)
            elif self._goes_on(batch):
                yield make("other_sheet_ignored", value=batch.sheet, sheet=batch.sheet)
        if self._parser is not None and self._here and batch.row_nos:
            self._any_data = True
            yield self._parser.parse(batch)

    def _start(self, header: Header, batch: Batch) -> Iterator[Problem]:
        """Begin to read a sheet under its header, unless that lacks columns or a sheet before it had rows.

        batch: what stands below the header.
        """
        self._nearest = self._nearest or header
        if header.missing:
            self._lacking += [header] if batch.row_nos else []
            return
        if self._any_data:
            if batch.row_nos:
                yield make("other_sheet_ignored", value=batch.sheet, sheet=batch.sheet)
            return
        problems = _header_problems(header)
        self.stopped = bool(problems)
        if self.stopped:
            yield from problems
        else:
            self._here = True
            self._parser = ChunkParser(self._columns, header, self._rules, self._today, batch.codec, self._constants)

    def _goes_on(self, batch: Batch) -> bool:
        """Tell whether a sheet without a header goes on where the one that is read has ended: it has numbers there."""
        at = None if self._parser is None else self._parser.number_at
        return at is not None and any(
            at < len(row) and read_invoice_number(row[at])[0] is not None for row in batch.plain_rows()
        )

    def end(self) -> Iterator[Problem]:
        """Yield what is wrong with the file as a whole."""
        if self._nearest is None:
            yield make("header_not_found" if self._any_row else "empty_file")
        elif self._parser is None:
            yield from _header_problems(self._nearest)
        elif self._any_data:
            for header in self._lacking:
                yield make("other_sheet_ignored", value=header.sheet, sheet=header.sheet)
        elif self._lacking:
            yield from _header_problems(self._lacking[0])
        else:
            yield make("no_rows", sheet=self._nearest.sheet)


def _find(columns: Sequence[Column], batch: Batch) -> Header | None:
    """Look for the header among the first rows of a sheet."""
    size = sum(row_no <= HEADER_WITHIN for row_no in batch.row_nos[:HEADER_WITHIN])
    top = Batch(
        batch.sheet,
        batch.row_nos[:size],
        None if batch.lines is None else batch.lines[:size],
        None if batch.cells is None else batch.cells[:size],
        batch.codec,
    )
    rows = zip(repeat(batch.sheet), top.row_nos, top.plain_rows(), strict=False)
    return find_header(columns, rows)


def _header_problems(header: Header) -> list[Problem]:
    problems = []
    if header.missing:
        problems.append(make("missing_columns", value="、".join(header.missing), row=header.row_no, sheet=header.sheet))
    if header.duplicated:
        value = "、".join(header.duplicated)
        problems.append(make("duplicate_columns", value=value, row=header.row_no, sheet=header.sheet))
    if len(header.cells) > LIMITS.columns:
        problems.append(make("too_many_columns", limit=LIMITS.columns, row=header.row_no, sheet=header.sheet))
    return problems

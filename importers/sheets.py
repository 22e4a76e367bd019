"""Read csv and xlsx as rows of cells: batch by batch, numbered as Excel counts, nothing inferred.

A workbook is opened by a library of its own, in a child process. Text is read here: it meets no code but the
interpreter's own codecs, str methods and csv module, in blocks; a line or an open quote beyond `record_chars` ends the
file, so that no file takes more memory than any other. A child would have to send all of its cells back over a pipe.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from importers import text
from importers.cells import Cell, flaw, show
from importers.limits import LIMITS
from importers.messages import make
from importers.text import Codec
from importers.workbooks import Book, Broken
from importers.worker import Stopped
from voucher.problem import Problem

UNIT = "\x1f"
"""Joins the cells of a row; it never occurs within one."""
SUMMARIES = frozenset({"合计", "总计", "小计", "累计", "本页合计", "本页小计"})
"""First words of a row that sums others: such a row is no row."""
_QUOTED = re.compile(r'"[^"]*"')
_BLOCK_CHARS = 1 << 17
_XLSX_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows of one sheet without blank and summary rows. row_nos: as Excel counts, from 1.

    The rows are either `lines`, cells joined by UNIT, or `cells`. codec: how their text stands in memory.
    first: this batch begins its sheet. block: the lines with a line end behind each, when no cell holds one.
    clean: no cell holds a control character but tabs and line ends.
    """

    sheet: str
    row_nos: Sequence[int]
    lines: list[str] | None
    cells: list[list[Cell]] | None
    codec: Codec
    first: bool = False
    block: str | None = None
    clean: bool = False

    def rows(self) -> list[list[Cell]]:
        """Return the rows as cells, in the batch's own codec."""
        if self.cells is not None:
            return self.cells
        return [list(line.split(UNIT)) for line in self.lines or ()]

    def plain_rows(self) -> list[list[Cell]]:
        """Return the rows as cells in ordinary text."""
        if self.codec == "utf-8":
            return self.rows()
        return [[text.plain(c, self.codec) if isinstance(c, str) else c for c in row] for row in self.rows()]

    def below(self, row_no: int) -> "Batch":
        """Return the part of the batch below a row."""
        at = sum(number <= row_no for number in self.row_nos)
        lines = None if self.lines is None else self.lines[at:]
        cells = None if self.cells is None else self.cells[at:]
        return Batch(self.sheet, self.row_nos[at:], lines, cells, self.codec, clean=self.clean)


def batches(path: Path, kind: str) -> Iterator[Batch | Problem]:
    """Yield the rows of a file batch by batch, sheet after sheet, and a Problem where it cannot be read on.

    A sheet gives at least one batch, perhaps an empty one. Never raises for what is in the file.
    """
    return _csv_batches(path) if kind == "csv" else _xlsx_batches(path)


def rows(path: Path, kind: str) -> Iterator[tuple[str, int, list[Cell]] | Problem]:
    """Yield (sheet, row number, cells) of each row, and Problems; for small files such as registries."""
    for batch in batches(path, kind):
        if isinstance(batch, Problem):
            yield batch
        else:
            for row_no, row in zip(batch.row_nos, batch.plain_rows(), strict=True):
                yield batch.sheet, row_no, row


def head(path: Path, kind: str, within: int = 10) -> Iterator[tuple[str, int, list[Cell]]]:
    """Yield the first rows of each sheet, to tell the format of a file by its header.

    A workbook opened here is kept for the next `batches` of the same file, since opening is most of its cost.
    """
    for batch in _csv_batches(path, whole=False) if kind == "csv" else _xlsx_batches(path, most=within):
        if isinstance(batch, Problem) or (kind == "csv" and not batch.first):
            return
        if not batch.first:
            continue
        for row_no, row in islice(zip(batch.row_nos, batch.plain_rows(), strict=True), within):
            if row_no <= within:
                yield batch.sheet, row_no, row


def is_row(row: Sequence[Cell]) -> bool:
    """Tell whether a row of plain cells holds data: it is not blank and does not begin with 合计 or the like.

    What Excel could not reckon, and what belongs to the row above, is no data by itself.
    """
    for cell in row:
        word = text.clean(show(cell))
        if word and flaw(word) is None:
            return "".join(word.split()).rstrip(":：") not in SUMMARIES
    return False


def _usual(start: str) -> bool:
    """Tell whether a row that starts so surely holds data, without a closer look."""
    return start.isascii() and start.isalnum()


def _line_batch(start: int, lines: list[str], block: str | None, clean: bool) -> Batch:
    """Make a batch of csv lines numbered from start, leaving out what is no row."""
    row_nos: Sequence[int] = range(start, start + len(lines))
    if not all(map(_usual, {line[:1] for line in lines})):
        kept = [
            i for i, line in enumerate(lines) if _usual(line[:1]) or is_row(text.plain(line, "latin-1").split(UNIT))
        ]
        if len(kept) < len(lines):
            row_nos, lines, block = [start + i for i in kept], [lines[i] for i in kept], None
    return Batch("", row_nos, lines, None, "latin-1", start == 1, block, clean)


def _csv_batches(path: Path, *, whole: bool = True) -> Iterator[Batch | Problem]:
    decision = text.decide(path, whole=whole)
    if decision.encoding is None:
        codes = {
            "nul": "not_a_spreadsheet",
            "long_line": "record_too_long",
            "undecodable": "undecodable_text",
        }
        yield make(codes[decision.fault or "undecodable"], detail="（含有二进制内容）", row=1)
        return
    delimiter = _delimiter(path, decision.encoding)
    with text.open_wire(path, decision.encoding) as file:
        start = 1
        while block := file.read(_BLOCK_CHARS):
            block += (tail := file.readline(LIMITS.record_chars))
            if len(tail) == LIMITS.record_chars and tail[-1] not in "\r\n":  # `decide` has not seen it when not `whole`
                yield make("record_too_long", row=start)
                return
            lines, plain, problem = _records(block, file, delimiter, start)
            yield _line_batch(start, lines, plain, decision.clean)
            start += len(lines)
            if problem is None and start > LIMITS.rows:
                problem = make("too_many_rows", limit=LIMITS.rows)
            if problem is not None:
                yield problem
                return
        if start == 1:
            yield _line_batch(1, [], None, True)


def _delimiter(path: Path, encoding: text.Encoding) -> str:
    """Tell the delimiter from the first lines: comma, tab (Excel's Unicode text) or semicolon.

    It is the mark that most of them hold, however many of another one a remark may hold.
    """
    with text.open_wire(path, encoding) as file:
        top = _QUOTED.sub("", "".join(file.readline(_BLOCK_CHARS) for _ in range(10))).replace("\r", "\n").split("\n")
    return max(",\t;", key=lambda mark: (sum(mark in line for line in top), sum(line.count(mark) for line in top)))


def _records(block: str, file: TextIO, delimiter: str, start: int) -> tuple[list[str], str | None, Problem | None]:
    """Split a block of whole lines into records, cells joined by UNIT, and a fault that ends the file.

    Between them stands the block itself with UNITs, when no cell holds a line end. Without a quote in the block that
    is plain splitting; else the csv module reads it, and on beyond the block while a quoted cell is open. A UNIT
    within a cell is lost.
    """
    block = block.replace(UNIT, text.LOST) if UNIT in block else block
    if '"' not in block:
        if "\r" in block:
            block = block.replace("\r\n", "\n").replace("\r", "\n")
        block = block.replace(delimiter, UNIT)
        if block[-1] != "\n":
            block += "\n"
        lines = block.split("\n")
        lines.pop()
        return lines, block, None
    lines = []
    feed = _Feed(block, file)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    try:
        while feed.rest:
            lines.append(UNIT.join(next(reader)))
    except StopIteration:
        pass
    except csv.Error as error:
        code = "record_too_long" if "field limit" in str(error) else "unterminated_quote"
        return lines, None, make(code, row=start + len(lines))
    except _RecordTooLong:
        return lines, None, make("record_too_long", row=start + len(lines))
    return lines, None, None


class _RecordTooLong(Exception):
    """One record takes more text than any honest one."""


class _Feed:
    """Lines of a block, then as many of the file behind it as an open record needs."""

    def __init__(self, block: str, file: TextIO) -> None:
        self._lines = _split_lines(block)
        self._file = file
        self._at = 0
        self._beyond = 0
        self.rest = len(self._lines)

    def __iter__(self) -> "_Feed":
        """Return itself."""
        return self

    def __next__(self) -> str:
        """Return the next line."""
        if self.rest:
            self.rest -= 1
            self._at += 1
            return self._lines[self._at - 1]
        line = self._file.readline(LIMITS.record_chars + 1).replace(UNIT, text.LOST)
        self._beyond += len(line)
        if not line:
            raise StopIteration
        if self._beyond > LIMITS.record_chars:
            raise _RecordTooLong
        return line


def _split_lines(block: str) -> list[str]:
    r"""Split after \n, \r\n and \r only (str.splitlines knows more line ends)."""
    lines = block.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _sheet_batches(sheet: str, found: Iterable[list[list[Cell]]]) -> Iterator[Batch]:
    """Yield the batches of one sheet of a workbook."""
    start = 1
    for rows in found:
        kept = [i for i, row in enumerate(rows) if (row and _usual(str(row[0])[:1])) or is_row(row)]
        if kept or start == 1:
            row_nos = [start + i for i in kept]
            yield Batch(text.clean(sheet), row_nos, None, [rows[i] for i in kept], "utf-8", start == 1)
        start += len(rows)


_kept: dict[tuple[Path, int, int], Book] = {}
"""At most one workbook, opened to see its header and not read yet; by path, size and time of change."""


def _open(path: Path) -> Book:
    """Open a workbook, or take the one that was kept."""
    stat = path.stat()
    book = _kept.pop((path, stat.st_size, stat.st_mtime_ns), None)
    return Book(path) if book is None else book


def _keep(path: Path, book: Book) -> None:
    """Keep a workbook for the next reading of its file, in place of any other."""
    while _kept:
        _kept.popitem()[1].close()
    stat = path.stat()
    _kept[path, stat.st_size, stat.st_mtime_ns] = book


def _xlsx_batches(path: Path, *, most: int | None = None) -> Iterator[Batch | Problem]:
    """Yield the batches of a workbook. most: of each sheet these first rows alone; it is kept open for the others."""
    book: Book | None = None
    try:
        book = _open(path)
        if len(book.names) > LIMITS.sheets:
            yield make("too_many_sheets", value=str(len(book.names)), limit=LIMITS.sheets)
            return
        for name in book.names:
            yield from _sheet_batches(name, book.rows(name, _XLSX_ROWS, most))
    except Broken:
        most = None
        yield make("not_a_spreadsheet", detail="（文件已损坏）")
    except Stopped as why:
        most = None
        yield make("not_a_spreadsheet", detail=f"（读取时{why}，已停止）")
    finally:
        if book is not None and most is not None:
            _keep(path, book)
        elif book is not None:
            book.close()

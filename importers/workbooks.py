"""Read workbooks in a child process: a library in Rust opens them; whatever a file does to it, the child alone is hurt.

Lines of JSON in: the file to open, a sheet of it to read. Lines of JSON out: the names of the sheets; the rows of the
sheet, some at a time, and then null; or what went wrong.
"""

import datetime as dt
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from importers import sheet_flaws, worker
from importers.cells import Cell
from importers.limits import WORKBOOK_LIMITS, ParserLimits
from importers.sheet_flaws import Flaws

_TEXT_OR_FLOAT = frozenset({str, float})


class Broken(Exception):
    """A workbook that cannot be opened or read on."""


class Book:
    """A workbook that a child has open. names: its sheets with cells, in order."""

    def __init__(self, path: Path, limits: ParserLimits = WORKBOOK_LIMITS) -> None:
        """Open a file. Raises Broken, and worker.Stopped when the child ends over it."""
        self._limits = limits
        self._child = worker.borrow(__name__)
        self._child.jobs += 1
        self._asked = False
        try:
            self._child.send({"open": str(path.absolute())})
            self.names: list[str] = self._answer()
        except BaseException:
            self.close()
            raise

    def rows(self, name: str, at_once: int, most: int | None = None) -> Iterator[list[list[Cell]]]:
        """Yield the rows of a sheet, so many at once, at least one list; the first ones alone when told how many.

        Blank cells on the left are there. A sheet of which the first rows were read is opened but once. Who stops
        before the end may ask for other rows; the rest of these is passed over.
        """
        while self._asked and self._answer() is not None:
            pass
        self._child.send({"sheet": name, "at_once": at_once, "most": most})
        self._asked = True
        while (found := self._answer()) is not None:
            yield found
        self._asked = False

    def _answer(self) -> Any:
        answer = self._child.answer(self._limits)
        if isinstance(answer, dict):
            self._asked = False
            raise Broken(answer["broken"])
        return answer

    def close(self) -> None:
        """Let the child go; one that still has something to say is ended."""
        if self._asked:
            self._child.end()
        else:
            worker.give_back(self._child, self._limits)


def main(limits: ParserLimits = WORKBOOK_LIMITS) -> None:
    """Answer line by line until the parent goes away."""
    from python_calamine import CalamineSheet, CalamineWorkbook

    answers = worker.answering()
    worker.bound(limits)
    book: CalamineWorkbook | None = None
    opened: dict[str, CalamineSheet] = {}
    path = ""
    while line := sys.stdin.buffer.readline():
        asked = json.loads(line)
        worker.bound_time(limits)
        try:
            if "open" in asked:
                opened.clear()
                path = asked["open"]
                book = CalamineWorkbook.from_path(path)
                _say(answers, _names(book))
                continue
            assert book is not None
            name, most = asked["sheet"], asked["most"]
            sheet = opened.pop(name, None) or book.get_sheet_by_name(name)
            if most is not None:
                opened[name] = sheet
                flaws = None
            else:
                flaws = sheet_flaws.Flaws(path, name, sheet.merged_cell_ranges or ())
            _say_rows(answers, sheet, asked["at_once"], most, flaws)
        except BaseException as error:
            # calamine turns a panic into PanicException, which is no Exception
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            _say(answers, {"broken": type(error).__name__})


def _names(book: Any) -> list[str]:
    """List the sheets with cells in order; what is hidden comes last, so that nobody hands in what he does not see."""
    sheets = [meta for meta in book.sheets_metadata if str(meta.typ).endswith("WorkSheet")]
    return [meta.name for meta in sorted(sheets, key=lambda meta: not str(meta.visible).endswith("Visible"))]


def _say(answers: BinaryIO, answer: object) -> None:
    answers.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    answers.flush()


def _say_rows(answers: BinaryIO, sheet: Any, at_once: int, most: int | None, flaws: Flaws | None) -> None:
    """Write the rows of a sheet; calamine leaves out leading empty columns, but not leading empty rows."""
    rows = islice(sheet.iter_rows(), most)
    lead: list[Cell] = [""] * (sheet.start[1] if sheet.start else 0)
    found = list(islice(rows, at_once))
    number = 0
    while True:
        for index, row in enumerate(found):
            if not _TEXT_OR_FLOAT.issuperset(map(type, row)):
                row = [_plain_cell(cell) for cell in row]
            row = lead + row if lead else row
            found[index] = row if flaws is None else flaws.put(number + index, row)
        number += len(found)
        _say(answers, found)
        found = list(islice(rows, at_once))
        if not found:
            break
    _say(answers, None)


def _plain_cell(cell: object) -> Cell:
    """Write a workbook's cell as a Cell: days as ISO text, truth values as Excel shows them."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, str | float):
        return cell
    if isinstance(cell, int):
        return float(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ") if cell.time() != dt.time() else cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)

"""How large a workbook becomes once opened: calamine allocates each sheet's whole rectangle and copies texts per cell.

A hostile sheet of a few bytes (A1 and XFD1048576) would take hundreds of gigabytes. Everything here errs on the
large side and never parses; honest sheets stay far below the limits.
"""

import re
from dataclasses import dataclass

from importers.limits import Limits
from importers.messages import make
from voucher.problem import Problem

_BLANKS = b" \t\r\n"
_TAIL = 32
_BEYOND = re.compile(rb'r="(?:[A-Za-z]{2,3}\d|[A-Za-z]{0,3}\d{6})')
"""A reference beyond column Z or row 99,999; nearly all sheets have none, and the search is cheap."""
_REFERENCE = re.compile(rb'r="([A-Za-z]{0,3})(\d{1,9})"')


@dataclass(slots=True)
class SheetSize:
    """Watches the XML parts of one workbook while they are inflated, piece by piece."""

    limits: Limits
    cells: int = 0
    longest_text: int = 0
    _rows: int = 0
    _columns: int = 0
    _row_tags: int = 0
    _run: int = 0
    _text: int = 0
    _tail: bytes = b""
    _strings: bool = False
    _sheet: bool = False
    _first: bool = True

    def begin(self) -> None:
        """Start with the next part."""
        self._rows, self._columns, self._row_tags = 99_999, 26, 0
        self._run = self._text = 0
        self._tail, self._strings, self._sheet, self._first = b"", False, False, True

    def watch(self, piece: bytes) -> Problem | None:
        """Take the next piece of the part; return why the workbook may not be opened, if so."""
        if self._first:
            self._first = False
            self._strings = b"sst" in piece[:2048]
        plain = piece.translate(None, _BLANKS).replace(b"'", b'"')
        if self._strings:
            self._measure_texts(plain)
        else:
            self._measure_cells(plain)
        box = max(self._rows, self._row_tags) * max(self._columns, 1)
        if box > self.limits.sheet_cells:
            return make("too_many_cells_in_sheet", value=str(box), limit=self.limits.sheet_cells)
        if self.longest_text * self.cells > self.limits.repeated_text:
            return make("repeated_text", value=str(self.longest_text))
        return None

    def _measure_texts(self, plain: bytes) -> None:
        """Measure the longest shared string, as what lies between two marks of one."""
        parts = plain.split(b"si>")
        lengths = list(map(len, parts))
        lengths[0] += self._text
        self._text = lengths[-1]
        self.longest_text = max(self.longest_text, *lengths)

    def _measure_cells(self, plain: bytes) -> None:
        """Measure the rectangle: by references, and by counting where cells carry none."""
        joined = self._tail + plain
        self._tail = plain[-_TAIL:]
        self._sheet = self._sheet or b"sheetData" in joined
        if not self._sheet:
            return
        if _BEYOND.search(joined):
            for letters, digits in _REFERENCE.findall(joined):
                self._rows = max(self._rows, int(digits))
                self._columns = max(self._columns, _column_number(letters))
        rows = plain.replace(b":row", b"<row").split(b"<row")
        self._row_tags += len(rows) - 1
        runs = [row.count(b"<c") + row.count(b":c") for row in rows]
        self.cells += sum(runs)
        runs[0] += self._run
        self._run = runs[-1]
        self._columns = max(self._columns, *runs)


def _column_number(letters: bytes) -> int:
    """Return the number of a column: A is 1, XFD is 16384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number

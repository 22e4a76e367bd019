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
_BEYOND = re.compile(rb'r="[A-Za-z]?+(?:[A-Za-z]|\d{6})')
"""A reference beyond column Z or row 99,999; nearly all sheets have none, and the search is cheap."""
_REFERENCE = re.compile(rb'(?<=["cw])r="([A-Za-z]*)(\d*)')
"""The attribute r of a row or a cell, also one that the end of a piece cuts off. calamine reads any number of letters
and digits, beyond what fits into its numbers too."""
_LONGEST = 9
"""Letters or digits from which a reference is beyond any sheet."""
_COUNT = b'niqueCount="'
_TOO_MANY = re.compile(_COUNT + rb'(?!\d{0,8}(?:"|\Z))')
"""How many shared strings a part says it has, for which calamine makes room before it has seen one: nine digits or what
is no number. What the end of a piece cuts off is judged with the next one."""
_TEXT = re.compile(rb"[<:]si(?:>|[A-Za-z:]+=)")
"""The beginning of a shared string."""


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
    _texts: bool = False
    _sheet: bool = False

    def begin(self) -> None:
        """Start with the next part."""
        self._rows, self._columns, self._row_tags = 99_999, 26, 0
        self._run = self._text = 0
        self._tail, self._texts, self._sheet = b"", False, False

    def watch(self, piece: bytes) -> Problem | None:
        """Take the next piece of the part; return why the workbook may not be opened, if so."""
        plain = piece.translate(None, _BLANKS).replace(b"'", b'"')
        joined = self._tail + plain
        self._tail = plain[-_TAIL:]
        if _COUNT in joined and _TOO_MANY.search(joined):
            return make("zip_bomb", value="声明的文字过多")
        # what a part is, its contents tell: a name or a root can say anything
        self._texts = self._texts or ((b"<si" in joined or b":si" in joined) and _TEXT.search(joined) is not None)
        self._sheet = self._sheet or b"sheetData" in joined
        if self._texts:
            self._measure_texts(plain)
        if self._sheet:
            self._measure_cells(plain, joined)
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

    def _measure_cells(self, plain: bytes, joined: bytes) -> None:
        """Measure the rectangle: by references, and by counting where cells carry none."""
        if _BEYOND.search(joined):
            for letters, digits in _REFERENCE.findall(joined):
                self._rows = max(self._rows, int(digits or b"0") if len(digits) <= _LONGEST else 10**_LONGEST)
                self._columns = max(self._columns, _column_number(letters[:_LONGEST]))
        rows = plain.replace(b":row", b"<row").split(b"<row")
        self._row_tags += len(rows) - 1
        runs = [row.count(b"<c") for row in rows]
        if b":c" in plain:
            runs = [run + row.count(b":c") for run, row in zip(runs, rows, strict=True)]
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

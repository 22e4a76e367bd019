"""Cells of a workbook that its library gives as blank, though to a person they are not.

They are formulas in error or without a result, and cells merged with the row above. What stands there instead says
so, and no column takes it (see `cells.flaw`).
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO
from xml.etree.ElementTree import Element, iterparse
from xml.etree.ElementTree import parse as parse_tree

from importers.cells import MERGED, NO_RESULT, Cell, show

Range = tuple[tuple[int, int], tuple[int, int]]
"""Row and column, from 0, of the first and the last cell of a merged range."""
MOST_COVERED = 2_000_000
"""Rows below the first that all merged ranges of a sheet may have together."""
_CHUNK = 1 << 20
_OVERLAP = 64
_NO_VALUE = (b"</f></c>", b"<v></v>", b"<v/>", b"/></c>")
_PREFIXED = re.compile(rb"</(\w+):f></\1:c>|<(\w+):v></\2:v>|:v/>|/></\w+:c>")
"""The same where other programs write a prefix before each name."""
_LETTERS = str.maketrans("", "", "0123456789$")


class Flaws:
    """The flaws of one sheet, put into its rows one after another."""

    def __init__(self, path: str, sheet: str, ranges: Sequence[Range]) -> None:
        """Look a sheet through. Raises ValueError when merged ranges cover more than any honest sheet's."""
        tall = [each for each in ranges if each[1][0] > each[0][0]]
        if sum(bottom - top for (top, _), (bottom, _) in tall) > MOST_COVERED:
            raise ValueError("merged ranges overlap")
        self._formulas = find(path, sheet)
        self._ranges: dict[int, list[tuple[int, int]]] = {}
        for (top, left), (bottom, _) in tall:
            self._ranges.setdefault(top, []).append((left, bottom))
        self._open: list[tuple[int, int, str]] = []

    def put(self, number: int, row: list[Cell]) -> list[Cell]:
        """Return a row, counted from 0, with what is flawed in it said; rows come in order."""
        for column, said in self._formulas.get(number, ()):
            row += [""] * (column + 1 - len(row))
            row[column] = said
        if self._open:
            self._open = [each for each in self._open if each[1] >= number]
            for column, _, said in self._open:
                if column < len(row) and row[column] == "":
                    row[column] = MERGED + said
        for column, bottom in self._ranges.get(number, ()):
            if column < len(row) and row[column] != "":
                self._open.append((column, bottom, show(row[column])))
        return row


def find(path: str, sheet: str) -> Mapping[int, Sequence[tuple[int, str]]]:
    """Find the formulas of a sheet without a result: row to columns, each with what to say; none when all have one."""
    with zipfile.ZipFile(path) as packed:
        part = _part(packed, sheet)
        if part is None or not _suspicious(packed, part):
            return {}
        found: dict[int, list[tuple[int, str]]] = {}
        with packed.open(part) as stream:
            for row, column, said in _formulas(stream):
                found.setdefault(row, []).append((column, said))
        return found


def _local(node: Element) -> str:
    return node.tag.rsplit("}", 1)[-1]


def _part(packed: zipfile.ZipFile, sheet: str) -> str | None:
    """Find the part of a sheet by its name."""
    wanted = None
    with packed.open("xl/workbook.xml") as stream:
        for node in parse_tree(stream).iter():
            if _local(node) == "sheet" and node.get("name") == sheet:
                wanted = next((value for name, value in node.items() if name.endswith("}id")), None)
    with packed.open("xl/_rels/workbook.xml.rels") as stream:
        for node in parse_tree(stream).iter():
            if wanted is not None and node.get("Id") == wanted:
                part = posixpath.normpath(posixpath.join("/xl", node.get("Target", "")))[1:]
                return part if part in packed.namelist() else None
    return None


def _suspicious(packed: zipfile.ZipFile, part: str) -> bool:
    """Tell by its bytes whether a sheet may have such a formula: nearly all have none, and the search is cheap."""
    plain = prefixed = False
    tail = b""
    with packed.open(part) as stream:
        while piece := stream.read(_CHUNK):
            joined = tail + piece
            plain, prefixed = plain or b"<f" in joined, prefixed or b":f" in joined
            if (
                b't="e"' in joined
                or (plain and any(mark in joined for mark in _NO_VALUE))
                or (prefixed and _PREFIXED.search(joined))
            ):
                return True
            tail = joined[-_OVERLAP:]
    return False


def _formulas(stream: IO[bytes]) -> Iterator[tuple[int, int, str]]:
    """Yield row, column (from 0) and words of each formula in error or without a result."""
    row = column = 0
    for event, node in iterparse(stream, ("start", "end")):
        kind = _local(node)
        if event == "start":
            if kind == "row":
                row, column = int(node.get("r") or row + 1), 0
            elif kind == "c":
                column = _column(node.get("r", "")) or column + 1
        elif kind == "c":
            said = _said(node)
            if said is not None:
                yield row - 1, column - 1, said
        if event == "end" and kind in ("c", "row"):
            node.clear()


def _said(cell: Element) -> str | None:
    """Say what stands in a cell without a result, None for every other cell."""
    parts = {_local(child): child.text or "" for child in cell}
    if cell.get("t") == "e":
        return parts.get("v") or "#N/A"
    if "f" in parts and not parts.get("v") and cell.get("t") != "str":
        return f"{NO_RESULT}={parts['f']}"
    return None


def _column(reference: str) -> int:
    """Return the number of a reference's column, from 1; 0 when it has none."""
    number = 0
    for letter in reference.translate(_LETTERS).upper():
        number = number * 26 + ord(letter) - 64
    return number

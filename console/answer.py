"""What a command gives back, and how it is written for people: plain lines and aligned tables."""

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.cells import cell_len

from voucher.money import format_yuan


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command gives. data: the JSON document. text: what a person reads. status: exit status."""

    data: Mapping[str, Any]
    text: Sequence[str] = field(default_factory=tuple)
    status: int = 0


def yuan(fen: int) -> str:
    """Write fen as yuan for people: 1,234.56."""
    return format_yuan(fen, grouped=True)


def width() -> int | None:
    """Return the columns of the terminal, None when nobody looks at one."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Fill a text with blanks up to a number of columns; a Chinese character takes two."""
    blanks = " " * max(0, columns - cell_len(text))
    return blanks + text if right else text + blanks


_CLOSING = "，。；：、）》”！？"
"""Marks that no line begins with."""


def wrap(text: str, columns: int) -> list[str]:
    """Break a text into lines of at most so many columns; no line begins with a closing mark."""
    if cell_len(text) <= columns:
        return [text]
    lines = [""]
    for char in text:
        # The last two columns are kept for a mark that must not begin the next line.
        if cell_len(lines[-1] + char) > max(4, columns) - 2 and char not in _CLOSING:
            lines.append("")
        lines[-1] += char
    return lines


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, indent: str = "") -> list[str]:
    """Write rows as aligned columns under their headers; a header that begins with > aligns right.

    Nothing is cut off; on a terminal too narrow for it, the last column goes on in further lines.
    """
    right = [header.startswith(">") for header in headers]
    body = [[header.lstrip(">") for header in headers], *([str(cell) for cell in row] for row in rows)]
    columns = [max(cell_len(row[place]) for row in body) for place in range(len(headers))]
    before = sum(columns[:-1]) + 2 * (len(columns) - 1) + len(indent)
    room = width()
    if room is not None and before + columns[-1] > room and not right[-1]:
        columns[-1] = max(24, room - before)
    lines = []
    for number, row in enumerate(body):
        last = wrap(row[-1], columns[-1])
        cells = [pad(cell, space, right=to_right) for cell, space, to_right in zip(row, columns, right, strict=True)]
        cells[-1] = pad(last[0], columns[-1], right=right[-1])
        lines.append((indent + "  ".join(cells)).rstrip())
        lines += [" " * before + more for more in last[1:]]
        if number == 0:
            lines.append(indent + "  ".join("-" * space for space in columns))
    return lines


def pairs(entries: Iterable[tuple[str, str]], *, indent: str = "") -> list[str]:
    """Write names and values in two columns."""
    listed = list(entries)
    columns = max((cell_len(name) for name, _ in listed), default=0)
    return [f"{indent}{pad(name, columns)}  {value}".rstrip() for name, value in listed]

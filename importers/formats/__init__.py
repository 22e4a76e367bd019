"""One file per format; each is found by itself."""

from collections.abc import Iterator, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Protocol, cast

from importers.chunks import ParsedChunk
from importers.messages import make
from importers.sheets import head
from voucher.problem import Problem


class Format(Protocol):
    """What a format's module offers.

    NAME: as shown. EVIDENCE: the kind of document. matches: tells it by a header row. read: yields its rows.
    """

    NAME: str
    EVIDENCE: str

    def matches(self, header: Sequence[str]) -> bool:
        """Tell whether a row is this format's header."""

    def read(self, path: Path, kind: str, *, today: date) -> Iterator[ParsedChunk | Problem]:
        """Yield the chunks and problems of a file."""


def all_formats() -> list[Format]:
    """List the formats, by module name."""
    names = sorted(module.name for module in iter_modules(__path__))
    return [cast(Format, import_module(f"{__name__}.{name}")) for name in names]


def identify(path: Path, kind: str) -> Format | Problem:
    """Find the format of a file by its content; the first format's own complaint when none knows it."""
    found = all_formats()
    if kind == "csv" or kind == "xlsx":
        for _, _, row in head(path, kind):
            for candidate in found:
                if candidate.matches([str(cell) for cell in row]):
                    return candidate
        return found[0]
    return make("empty_file") if kind == "empty" else make("not_a_spreadsheet")

"""One file per format; each is found by itself."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from pkgutil import iter_modules
from typing import Protocol, cast

from importers.messages import make
from importers.parts import Part
from importers.sheets import head
from importers.usage_format import UsageFormat
from importers.usage_profile import load
from voucher.problem import Problem

TABLES = ("csv", "xlsx")
"""Kinds of files that are told by their header row; every other kind has one format."""


class Format(Protocol):
    """What a format's module offers, or its FORMAT.

    NAME: as shown. EVIDENCE: the kind of document. KINDS: of file, as guard.kind_by_content tells them; a format that
    is no table is the only one of its kind. matches: tells a table by a header row. read: yields its rows.
    """

    NAME: str
    EVIDENCE: str
    KINDS: tuple[str, ...]

    def matches(self, header: Sequence[str]) -> bool:
        """Tell whether a row is this format's header."""

    def read(self, path: Path, kind: str, *, today: date) -> Iterator[Part]:
        """Yield the chunks and problems of a file."""


@cache
def by_name() -> Mapping[str, Format]:
    """Map the name of each file of this folder, without its suffix, to its format: modules first, then profiles."""
    names = sorted(module.name for module in iter_modules(__path__))
    modules = {name: import_module(f"{__name__}.{name}") for name in names}
    profiles = sorted((each.name, each) for each in files(__name__).iterdir() if each.name.endswith(".toml"))
    return {
        **{name: cast(Format, getattr(module, "FORMAT", module)) for name, module in modules.items()},
        **{name.removesuffix(".toml"): cast(Format, UsageFormat(load(each.read_bytes()))) for name, each in profiles},
    }


def all_formats() -> list[Format]:
    """List the formats in the order of `by_name`."""
    return list(by_name().values())


@cache
def documents() -> Mapping[str, Format]:
    """Map each kind of file that is no table to its format."""
    return {kind: each for each in all_formats() for kind in each.KINDS if kind not in TABLES}


def known(path: Path, kind: str) -> Format | None:
    """Find the format that knows a file by its content, None when none does."""
    if kind not in TABLES:
        return documents().get(kind)
    found = [each for each in all_formats() if kind in each.KINDS]
    for _, _, row in head(path, kind):
        for candidate in found:
            if candidate.matches([str(cell) for cell in row]):
                return candidate
    return None


def identify(path: Path, kind: str) -> Format | Problem:
    """Find the format of a file by its content; the first format's own complaint when none knows it."""
    if (chosen := known(path, kind)) is not None:
        return chosen
    if found := [each for each in all_formats() if kind in each.KINDS]:
        return found[0]
    return make("empty_file") if kind == "empty" else make("not_a_spreadsheet")

"""What reading a file yields: chunks of rows, problems, and what a document says beside its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from importers.chunks import ParsedChunk
from importers.columns import Header
from voucher.problem import Problem


@dataclass(frozen=True, slots=True)
class Aside:
    """What a document says beside its rows, such as its version or signature; name `evidence` tells its kind."""

    name: str
    value: str


UsageKey = tuple[str, int, int, str]
"""Invoice number, first and last day (counted from 1970-01-01), unit."""


@dataclass(frozen=True, slots=True)
class UsageChunk:
    """Lines of usage, added up: by key the number of lines, the quantity and the amount, both in parts of 10⁻¹².

    rows: lines read since the last chunk. companies: what the lines say of who used it, with the number. failed: row
    numbers and cells (joined by UNIT) of lines that are not in the sums.
    """

    header: Header
    rows: int
    sums: Mapping[UsageKey, Sequence[int]]
    companies: frozenset[tuple[str, str]]
    failed: Sequence[tuple[int, str, str]]
    problems: Sequence[Problem]


Part = ParsedChunk | UsageChunk | Problem | Aside
"""What a file gives, part by part."""

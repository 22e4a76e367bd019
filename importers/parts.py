"""What reading a file yields: chunks of rows, problems, and what a document says beside its rows."""

from dataclasses import dataclass

from importers.chunks import ParsedChunk
from voucher.problem import Problem


@dataclass(frozen=True, slots=True)
class Aside:
    """What a document says beside its rows, such as its version or signature; name `evidence` tells its kind."""

    name: str
    value: str


Part = ParsedChunk | Problem | Aside

"""Stage: every row of a file as text and typed values in a temporary table, by COPY."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from psycopg import Copy
from sqlalchemy import Connection

from importers.chunks import ParsedChunk, copy_lines
from importers.columns import STAGED, Header
from importers.parts import Aside, Part
from voucher.database import driver, run_file
from voucher.problem import Problem

_COLUMNS = ", ".join(("sheet", "row_no", "raw", "digest", *(staged.name for staged in STAGED), "has_error"))
Progress = Callable[[int], None]
"""Told after each chunk how many rows have been read so far."""


@dataclass(slots=True)
class Staged:
    """What a file held. problems: of its cells and rows, as read. header: for the return file.

    asides: what a document says beside its rows; `evidence` among them tells its kind where the format cannot.
    """

    rows: int = 0
    header: Header | None = None
    problems: list[Problem] = field(default_factory=list)
    asides: dict[str, str] = field(default_factory=dict)

    @property
    def blocked(self) -> bool:
        """Tell whether the file as a whole cannot be taken."""
        return any(problem.severity == "blocking" for problem in self.problems)


def make_tables(db: Connection) -> None:
    """Create the temporary tables of one import; they are gone with its transaction."""
    for name in ("00_stage", "01_found", "02_context"):
        run_file(db, f"queries/import/{name}.sql")


def stage(db: Connection, chunks: Iterable[Part], progress: Progress) -> Staged:
    """Copy a file's rows into the staging table, in bounded memory; stops at a blocking problem."""
    staged = Staged()
    statement = f"COPY stage ({_COLUMNS}) FROM STDIN"
    with driver(db).cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in chunks:
            if isinstance(chunk, Problem):
                staged.problems.append(chunk)
                if staged.blocked:
                    break
            elif isinstance(chunk, Aside):
                staged.asides[chunk.name] = chunk.value
            elif isinstance(chunk, ParsedChunk):
                _write(copy, chunk, staged)
                progress(staged.rows)
    return staged


def _write(copy: Copy, chunk: ParsedChunk, staged: Staged) -> None:
    """Copy one chunk."""
    copy.write(copy_lines(chunk))
    staged.rows += len(chunk)
    staged.header = staged.header or chunk.header
    staged.problems.extend(chunk.problems)

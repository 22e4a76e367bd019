"""Stage: every row of the files as text and typed values in a temporary table, by COPY."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from psycopg import Copy
from sqlalchemy import Connection

from importers.chunks import ParsedChunk, copy_lines
from importers.columns import STAGED, Header
from importers.parts import Aside, Part
from voucher.database import driver, one, run_file
from voucher.problem import Problem

_COLUMNS = ", ".join(
    ("upload_id", "sheet", "row_no", "raw", "digest", *(staged.name for staged in STAGED), "has_error")
)
_LEFT_BYTES = 1 << 22
"""From so many bytes of dead rows on it is quicker to begin with new tables."""
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
    """See to it that this session has the temporary tables of imports; each transaction finds and leaves them empty."""
    left = one(db, "queries/import/00_left.sql")
    assert left is not None
    if left["bytes"] is not None and left["bytes"] <= _LEFT_BYTES:
        return
    db.exec_driver_sql("DISCARD TEMP")
    run_file(db, "queries/import/00_tables.sql")


def stage(db: Connection, uploads: Iterable[tuple[int, Iterable[Part], Staged]], progress: Progress) -> None:
    """Copy the rows of uploads into the staging table, in bounded memory; each stops at a blocking problem."""
    rows = 0
    with driver(db).cursor() as cursor, cursor.copy(f"COPY stage ({_COLUMNS}) FROM STDIN") as copy:
        for upload_id, parts, staged in uploads:
            for part in parts:
                if isinstance(part, Problem):
                    staged.problems.append(part)
                    if staged.blocked:
                        break
                elif isinstance(part, Aside):
                    staged.asides[part.name] = part.value
                elif isinstance(part, ParsedChunk):
                    _write(copy, upload_id, part, staged)
                    progress(rows := rows + len(part))


def _write(copy: Copy, upload_id: int, chunk: ParsedChunk, staged: Staged) -> None:
    """Copy one chunk."""
    copy.write(copy_lines(chunk, upload_id))
    staged.rows += len(chunk)
    staged.header = staged.header or chunk.header
    staged.problems.extend(chunk.problems)

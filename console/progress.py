"""Progress of a long import on standard error: rows, rate and time left; on a terminal as a bar."""

import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Told = Callable[[int], None]
EVERY_SECONDS = 5.0
_CHUNK = 1 << 20
_PROBE = 1 << 18


@contextmanager
def watched(path: Path, *, quiet: bool = False) -> Iterator[Told]:
    """Give a function to be told how many rows were read; it shows progress where somebody may look."""
    if quiet:
        yield lambda _rows: None
    elif sys.stderr.isatty():
        from console.bar import bar  # what draws it takes a tenth of a second to load

        yield from bar(path.name, rows_in(path))
    else:
        yield _Lines(path)


class _Lines:
    """Write a plain line every few seconds, for logs."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._path = path
        self._total: int | None = None
        self._started = self._last = time.monotonic()

    def __call__(self, rows: int) -> None:
        """Write a line if the last one is old enough."""
        now = time.monotonic()
        if now - self._last < EVERY_SECONDS:
            return
        self._last = now
        self._total = self._total or rows_in(self._path)
        rate = rows / (now - self._started)
        left = f"，约剩 {(self._total - rows) / rate:,.0f} 秒" if self._total and self._total > rows else ""
        print(f"{self._name}：已读 {rows:,} 行，{rate:,.0f} 行/秒{left}", file=sys.stderr, flush=True)


def rows_in(path: Path) -> int | None:
    """Estimate the rows of a file without reading its cells; None when that cannot be done."""
    try:
        if zipfile.is_zipfile(path):
            return _rows_of_sheet(path)
        with path.open("rb") as stream:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(_CHUNK), b"")) - 1
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return None


def _rows_of_sheet(path: Path) -> int | None:
    """Estimate from the beginning of the largest sheet how many rows all of it has."""
    with zipfile.ZipFile(path) as book:
        sheets = [entry for entry in book.infolist() if entry.filename.startswith("xl/worksheets/")]
        if not sheets:
            return None
        largest = max(sheets, key=lambda entry: entry.file_size)
        with book.open(largest) as stream:
            begin = stream.read(_PROBE)
    return begin.count(b"<row ") * largest.file_size // max(1, len(begin))

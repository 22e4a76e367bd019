"""Progress of a long import on standard error: rows, rate and time left."""

import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

Told = Callable[[int], None]
EVERY_SECONDS = 5.0
SILENT_SECONDS = 1.0
_CHUNK = 1 << 20
_PROBE = 1 << 18


@contextmanager
def watched(path: Path, *, quiet: bool = False) -> Iterator[Told]:
    """Give a function to be told how many rows were read; it shows progress where somebody may look."""
    if quiet:
        yield lambda _rows: None
    elif sys.stderr.isatty():
        yield from _bar(path)
    else:
        yield _Lines(path)


class _Stage(ProgressColumn):
    """What is being done: when no more rows come, they have all been read and are being checked."""

    def render(self, task: Task) -> Text:
        """Write the stage."""
        return Text("核对入账" if _read(task) else "读取")


class _Rate(ProgressColumn):
    """Rows per second, and the time left while reading."""

    def render(self, task: Task) -> Text:
        """Write the rate."""
        if _read(task):
            return Text(f"已用 {task.elapsed or 0:,.0f} 秒")
        speed, left = task.speed, task.time_remaining
        rate = f"{speed:,.0f} 行/秒" if speed else ""
        return Text(f"{rate}，约剩 {left:,.0f} 秒" if left is not None else rate)


def _read(task: Task) -> bool:
    """Tell whether all rows have been read; blank ones are counted in the total and never told."""
    return task.completed > 0 and time.monotonic() - float(task.fields["told"]) > SILENT_SECONDS


def _bar(path: Path) -> Iterator[Told]:
    """Show a bar on a terminal."""
    columns = (_Stage(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,} 行"), _Rate())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(path.name, total=rows_in(path), told=time.monotonic())

        def told(rows: int) -> None:
            progress.update(task, completed=rows, told=time.monotonic())

        yield told


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

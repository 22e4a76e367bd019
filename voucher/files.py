"""Write a file beside its place first, so that no half of one is ever there."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EISDIR
from pathlib import Path
from typing import Any, BinaryIO

from voucher.errors import Refused, cause

_PART = ".cvl-part-"
_FORGOTTEN_SECONDS = 86_400


@contextmanager
def written(target: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Give a file beside its place; it is moved there when all went well, and leaves nothing otherwise.

    Raises Refused when there is no writing there.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(EISDIR, "是一个文件夹")
        _tidy(target.parent)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=_PART)
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        try:
            with os.fdopen(handle, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, mode)
            os.replace(name, target)
        except OSError as error:
            raise _cannot_write(target, error) from error
    finally:
        with suppress(OSError):
            os.unlink(name)


def _tidy(folder: Path) -> None:
    """Clear away what killed programs left of their files a day ago."""
    for left in folder.glob(f"{_PART}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _FORGOTTEN_SECONDS:
                left.unlink()


@contextmanager
def workbook(target: BinaryIO, options: Mapping[str, object]) -> Iterator[Any]:
    """Give an xlsxwriter.Workbook to fill; it is written at the end, and nothing of it stays in a temporary folder.

    Raises OSError when there is no writing there, which xlsxwriter calls by a name of its own.
    """
    import xlsxwriter  # slow to load, and most commands write no workbook
    from xlsxwriter.exceptions import FileCreateError

    into = _Patient(target)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="cvl-book-") as folder,
            xlsxwriter.Workbook(into, {**options, "tmpdir": folder}) as book,
        ):
            yield book
    except FileCreateError as error:
        into.failed = into.failed or error.args[0]
    if into.failed is not None:
        raise into.failed


class _Patient:
    """A file that keeps its first failure: a zip that is left half open would mutter about it when it is let go of."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._place = file, 0
        self.failed: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write; after a failure only count."""
        self._place += len(data)
        self._try(lambda: self._file.write(data))
        return len(data)

    def flush(self) -> None:
        """Write what is buffered."""
        self._try(self._file.flush)

    def seek(self, place: int) -> int:
        """Go to a place."""
        self._place = place
        self._try(lambda: self._file.seek(place))
        return place

    def tell(self) -> int:
        """Tell the place."""
        return self._place

    def _try(self, work: Callable[[], object]) -> None:
        try:
            if self.failed is None:
                work()
        except OSError as error:
            self.failed = error


def _cannot_write(target: Path, error: OSError) -> Refused:
    return Refused("cannot_write", f"写不到 {target}（{cause(error)}）。请换一个位置，或清理磁盘。")

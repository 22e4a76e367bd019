"""Write a file beside its place first, so that no half of one is ever there."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EISDIR
from pathlib import Path
from typing import BinaryIO

from voucher.errors import Refused, cause


@contextmanager
def written(target: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Give a file beside its place; it is moved there when all went well, and leaves nothing otherwise.

    Raises Refused when there is no writing there.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(EISDIR, "是一个文件夹")
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".part-")
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


def _cannot_write(target: Path, error: OSError) -> Refused:
    return Refused("cannot_write", f"写不到 {target}（{cause(error)}）。请换一个位置，或清理磁盘。")

"""Receive a file: digest it while it is copied beside the originals, where it is kept by its hash once it is taken."""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from importers.guard import Source
from voucher.embedded import home_dir
from voucher.errors import Misused, Unreachable, cause
from voucher.seal import Digester, Digests, new_sm3

_CHUNK = 1 << 20
INCOMING = "incoming-"
"""How the name of a copy begins that is not kept yet."""
_FORGOTTEN_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Received:
    """A file as received. source: our copy, which nobody else can change, or the bytes of a small one.

    copied: it may be kept; on a dry run it is the source itself.
    """

    source: Source
    name: str
    size_bytes: int
    digests: Digests
    copied: bool

    @property
    def path(self) -> Path:
        """Return where our copy is, of a file that is not in memory."""
        assert isinstance(self.source, Path)
        return self.source


@contextmanager
def receive(source: Path, *, copy: bool = True, name: str = "") -> Iterator[Received]:
    """Digest a file and hold a copy of its bytes while the context lasts; `originals.keep` makes it stay.

    copy: False for a dry run, which writes nothing. name: of the file when it is not its path's. Raises Misused when
    the file cannot be read, Unreachable when there is no room for it.
    """
    if not source.is_file():
        raise Misused("no_file", f"找不到文件 {source}，或它不是普通文件。请核对路径。")
    try:
        stream = source.open("rb")
    except OSError as error:
        raise Misused("no_file", f"无法读取文件 {source}：{cause(error)}。请核对权限。") from error
    with stream:
        if not copy:
            size, digests = _digest(stream, None)
            yield Received(source, _text(name or source.name), size, digests, copied=False)
            return
        target = _incoming()
        try:
            size, digests = _copy(stream, target)
            yield Received(target, _text(name or source.name), size, digests, copied=True)
        finally:
            target.unlink(missing_ok=True)


def hold(data: bytes, name: str, *, copied: bool) -> Received:
    """Receive a small file that is in memory already. copied: whether it may be kept."""
    sm3 = new_sm3()
    sm3.update(data)
    return Received(data, _text(name), len(data), Digests(hashlib.sha256(data).hexdigest(), sm3.hexdigest()), copied)


def documents() -> Path:
    """Return the folder of the originals."""
    return home_dir() / "documents"


def _text(name: str) -> str:
    """Return a file's name as text, whatever bytes the file system has kept it in."""
    return name.encode("utf-8", "replace").decode()


def _digest(stream: BinaryIO, target: BinaryIO | None) -> tuple[int, Digests]:
    """Read a stream to its end, digest it and write it on; return its size and digests."""
    digester, size = Digester(), 0
    while chunk := stream.read(_CHUNK):
        digester.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return size, digester.digests()


def _incoming() -> Path:
    """Make an empty file for a copy."""
    try:
        folder = tidy()
        handle, name = tempfile.mkstemp(dir=folder, prefix=INCOMING)
        os.close(handle)
    except OSError as error:
        raise no_room(error) from error
    return Path(name)


def tidy() -> Path:
    """Make the folder of the originals and clear away what killed imports left there; returns it."""
    folder = documents()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in folder.glob(f"{INCOMING}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _FORGOTTEN_SECONDS:
                left.unlink()
    return folder


def _copy(stream: BinaryIO, target: Path) -> tuple[int, Digests]:
    """Copy and digest a stream; the copy is on the disk when this returns."""
    try:
        with target.open("wb") as file:
            size, digests = _digest(stream, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise no_room(error) from error
    return size, digests


def no_room(error: OSError) -> Unreachable:
    """Say that a file cannot be kept."""
    return Unreachable("no_room", f"无法保存上传的文件：{cause(error)}。请检查磁盘空间和 {documents()}。")

"""Receive a file: digest it while it is copied beside the documents, keep it by hash once it is taken."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from voucher.embedded import home_dir
from voucher.errors import Misused, Unreachable
from voucher.seal import Digester, Digests, new_sm3

_CHUNK = 1 << 20
_INCOMING = "incoming-"
_FORGOTTEN_SECONDS = 86_400
_SYNC_ALL = 16
"""Files from which everything is written to the disk at once, and not each by itself."""


@dataclass(frozen=True, slots=True)
class Received:
    """A file as received. path: our copy of it, which nobody else can change; on a dry run the source itself."""

    path: Path
    name: str
    size_bytes: int
    digests: Digests
    copied: bool


@contextmanager
def receive(source: Path, *, copy: bool = True, name: str = "") -> Iterator[Received]:
    """Digest a file and hold a copy of its bytes while the context lasts; `keep` makes it stay.

    copy: False for a dry run, which writes nothing. name: of the file when it is not its path's. Raises Misused when
    the file cannot be read, Unreachable when there is no room for it.
    """
    if not source.is_file():
        raise Misused("no_file", f"找不到文件 {source}，或它不是普通文件。请核对路径。")
    try:
        stream = source.open("rb")
    except OSError as error:
        raise Misused("no_file", f"无法读取文件 {source}：{error.strerror}。请核对权限。") from error
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


@contextmanager
def incoming(*, copy: bool = True) -> Iterator[Path]:
    """Give a folder for small files that are received together, gone when the context ends.

    copy: False for a dry run, whose files lie elsewhere and cannot be kept.
    """
    try:
        if copy:
            _clear(documents := home_dir() / "documents")
        folder = tempfile.TemporaryDirectory(prefix=_INCOMING, dir=documents if copy else None)
    except OSError as error:
        raise _no_room(error) from error
    with folder:
        yield Path(folder.name)


def take(source: Path, target: Path, name: str, *, move: bool, copied: bool) -> Received:
    """Receive a small file as `target`, by moving it there if it may be; it reaches the disk when it is kept."""
    data = source.read_bytes()
    sm3 = new_sm3()
    sm3.update(data)
    try:
        if move:
            source.replace(target)
        else:
            target.write_bytes(data)
    except OSError as error:
        raise _no_room(error) from error
    digests = Digests(hashlib.sha256(data).hexdigest(), sm3.hexdigest())
    return Received(target, _text(name), len(data), digests, copied)


def keep(files: Sequence[Received]) -> None:
    """Keep the bytes of copies under CVL_HOME/documents by SHA-256; the same bytes are kept once.

    Called before the acts are sealed: what an act names is there, also after a power failure.
    """
    copies = [received for received in files if received.copied]
    try:
        for folder in (folders := {stored(received.digests.sha256).parent for received in copies}):
            folder.mkdir(exist_ok=True, mode=0o700)
        for received in copies:
            place = stored(received.digests.sha256)
            try:
                os.link(received.path, place)  # the copy stays where it is, a transaction may be repeated
            except FileExistsError:
                link = received.path.with_suffix(".link")
                link.unlink(missing_ok=True)
                os.link(received.path, link)
                link.replace(place)
        if len(copies) > _SYNC_ALL:
            os.sync()
        else:
            for folder in folders:
                _sync_folder(folder)
    except OSError as error:
        raise _no_room(error) from error


def stored(sha256: str) -> Path:
    """Return where the bytes of a document are kept."""
    return home_dir() / "documents" / sha256[:2] / sha256


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
    folder = home_dir() / "documents"
    try:
        _clear(folder)
        handle, name = tempfile.mkstemp(dir=folder, prefix=_INCOMING)
        os.close(handle)
    except OSError as error:
        raise _no_room(error) from error
    return Path(name)


def _clear(folder: Path) -> None:
    """Make the folder of documents and clear away what killed imports left there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in folder.glob(f"{_INCOMING}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _FORGOTTEN_SECONDS:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _copy(stream: BinaryIO, target: Path) -> tuple[int, Digests]:
    """Copy and digest a stream; the copy is on the disk when this returns."""
    try:
        with target.open("wb") as file:
            size, digests = _digest(stream, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _no_room(error) from error
    return size, digests


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file survive a power failure, where folders can be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _no_room(error: OSError) -> Unreachable:
    folder = home_dir() / "documents"
    return Unreachable("no_room", f"无法保存上传的文件：{error.strerror}。请检查磁盘空间和 {folder}。")

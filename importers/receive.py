"""Receive a file: digest it while it is kept by hash, never trust its name."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from voucher.embedded import home_dir
from voucher.errors import Misused, Unreachable
from voucher.seal import Digester, Digests

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Received:
    """A file as received. path: where its bytes are kept (the source itself on a dry run)."""

    path: Path
    name: str
    size_bytes: int
    digests: Digests


def receive(source: Path, *, keep: bool = True) -> Received:
    """Digest a file and keep its bytes under CVL_HOME/documents by SHA-256; the same bytes are kept once.

    Raises Misused when it cannot be read, Unreachable when there is no room to keep it.
    """
    digester, size = Digester(), 0
    if not source.is_file():
        raise Misused("no_file", f"找不到文件 {source}，或它不是普通文件。请核对路径。")
    folder = home_dir() / "documents"
    kept: Path | None = None
    try:
        with source.open("rb") as stream:
            if not keep:
                while chunk := stream.read(_CHUNK):
                    digester.update(chunk)
                    size += len(chunk)
                return Received(source, source.name, size, digester.digests())
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=folder, prefix="incoming-", delete=False) as copy:
                kept = Path(copy.name)
                while chunk := stream.read(_CHUNK):
                    digester.update(chunk)
                    copy.write(chunk)
                    size += len(chunk)
                copy.flush()
                os.fsync(copy.fileno())
    except PermissionError as error:
        raise Misused("no_file", f"没有权限读取文件 {source}：{error.strerror}。") from error
    except OSError as error:
        if kept is not None:
            with suppress(OSError):
                kept.unlink()
        raise Unreachable("no_room", f"无法保存上传的文件：{error.strerror}。请检查磁盘空间和 {folder}。") from error
    digests = digester.digests()
    place = stored(digests.sha256)
    place.parent.mkdir(exist_ok=True, mode=0o700)
    kept.replace(place)
    return Received(place, source.name, size, digests)


def stored(sha256: str) -> Path:
    """Return where the bytes of a document are kept."""
    return home_dir() / "documents" / sha256[:2] / sha256

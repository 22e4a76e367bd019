"""The originals: every file handed in is kept by its hash under CVL_HOME/documents; small ones lie many in a pack.

A pack is a plain zip whose members are named by their hashes. Making a file costs a disk a hundred times as much as
writing a few thousand bytes, so documents that come together lie together; the row of each says in which pack.
"""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from importers.receive import INCOMING, Received, documents, no_room, tidy
from voucher.database import one
from voucher.errors import Broken


def stored(sha256: str) -> Path:
    """Return where the bytes of a document are kept that is in no pack."""
    return documents() / sha256[:2] / sha256


def packed(pack: str) -> Path:
    """Return where a pack is kept."""
    return documents() / "packs" / f"{pack}.zip"


def pack_for(files: Sequence[Received]) -> str:
    """Name the pack in which those files will lie that are in memory, empty when none is.

    The same files in the same order make the same pack.
    """
    small = [each.digests.sha256 for each in files if isinstance(each.source, bytes)]
    return hashlib.sha256("\n".join(small).encode()).hexdigest() if small else ""


def keep(files: Sequence[Received]) -> None:
    """Keep the bytes of copies by SHA-256, those in memory in their pack; the same bytes are kept once.

    Called before the acts are sealed: what an act names is there, also after a power failure. Raises Unreachable when
    there is no room.
    """
    copies = [each for each in files if each.copied]
    small = {each.digests.sha256: each.source for each in copies if isinstance(each.source, bytes)}
    try:
        for each in copies:
            if isinstance(each.source, Path):
                _keep_file(each.source, stored(each.digests.sha256))
        if small:
            _keep_pack(small, packed(pack_for(copies)))
    except OSError as error:
        raise no_room(error) from error


def _keep_file(copy: Path, place: Path) -> None:
    """Link a copy, which is on the disk, to its place; it stays where it is, since a transaction may be repeated."""
    place.parent.mkdir(exist_ok=True, mode=0o700)
    try:
        os.link(copy, place)
    except FileExistsError:
        link = copy.with_suffix(".link")
        link.unlink(missing_ok=True)
        os.link(copy, link)
        link.replace(place)
    _sync_folder(place.parent)


def _keep_pack(small: Mapping[str, bytes], place: Path) -> None:
    """Write a pack of documents by their hashes; its bytes depend on them alone. It is on the disk when it is named."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=tidy(), prefix=INCOMING, delete=False) as file:
        try:
            with zipfile.ZipFile(file, "w") as pack:
                for sha256, data in small.items():
                    pack.writestr(zipfile.ZipInfo(sha256), data)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, place)
        except BaseException:
            os.unlink(file.name)
            raise
    _sync_folder(place.parent)


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file survive a power failure, where folders can be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def pack_of(db: Connection, sha256: str) -> str:
    """Tell in which pack a document lies, empty for none."""
    row = one(db, "queries/evidence/pack.sql", sha256=sha256)
    return row["pack"] if row else ""


class Originals:
    """Reads what is kept. pack: of a document's row, empty for none; the last pack stays open for the next document."""

    def __init__(self) -> None:
        self._name = ""
        self._pack: zipfile.ZipFile | None = None

    def __enter__(self) -> "Originals":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the last pack."""
        if self._pack is not None:
            self._pack.close()

    def size(self, sha256: str, pack: str) -> int | None:
        """Return how many bytes are kept, None when the document is missing."""
        if (place := stored(sha256)).is_file():
            return place.stat().st_size
        try:
            return self._opened(pack).getinfo(sha256).file_size
        except (OSError, KeyError, zipfile.BadZipFile):
            return None

    @contextmanager
    def open(self, sha256: str, pack: str) -> Iterator[BinaryIO]:
        """Open a document. Raises FileNotFoundError when it is missing; whoever reads it holds it against its hash."""
        if (place := stored(sha256)).is_file():
            with place.open("rb") as file:
                yield file
            return
        try:
            data = self._opened(pack).read(sha256)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise FileNotFoundError(sha256) from error
        yield BytesIO(data)

    def read(self, sha256: str, pack: str) -> bytes:
        """Read a document whole. Raises FileNotFoundError when it is missing, Broken when its bytes are others."""
        with self.open(sha256, pack) as file:
            data = file.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Broken("document_changed", f"原件 {sha256} 的内容与登记的摘要不符。请从备份恢复 documents 目录。")
        return data

    def _opened(self, pack: str) -> zipfile.ZipFile:
        """Open a pack, or return the one that is open."""
        if self._pack is None or self._name != pack:
            found = zipfile.ZipFile(packed(pack))
            if self._pack is not None:
                self._pack.close()
            self._name, self._pack = pack, found
        return self._pack

"""A path to the files behind it: a file itself, the files of a folder, the members of a zip (and of zips within it).

Each member is imported by itself and has its own outcome; one that cannot be taken never stops the others. Members of
a zip are in memory, if they are small and wanted there, or lie in a temporary file until the next one is asked for.
"""

import re
import tempfile
import zipfile
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from io import BytesIO
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from importers import guard
from importers.guard import FileKind, Source
from importers.limits import BUNDLE_DEPTH, BUNDLE_LIMITS, MIB, Limits
from importers.messages import make
from importers.text import clean
from voucher.problem import Problem

_PIECE = 1 << 18
_SMALL = 1 << 20
_LITTER = re.compile(r"(?:^|/)(?:__MACOSX|\.(?!\.?/)[^/]*|Thumbs\.db|desktop\.ini|~\$[^/]*)(?:/|$)", re.IGNORECASE)
_STRANGE = re.compile(r"[^\w.()（）-]")
_BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Member:
    """One file to import. name: as people know it. source: where its bytes are, or they themselves; None when problems
    forbid to read it. kind: what it is. inner: it comes out of a zip.
    """

    name: str
    source: Source | None
    problems: tuple[Problem, ...] = ()
    kind: FileKind = "unknown"
    inner: bool = False

    @property
    def path(self) -> Path | None:
        """Return where a member lies that is not in memory."""
        assert not isinstance(self.source, bytes)
        return self.source

    @property
    def base(self) -> str:
        """Name of the file without its folders, as it is kept."""
        name = self.name.rstrip("/").rpartition("/")[2]
        return _STRANGE.sub("_", clean(name))[-80:] or "member" if self.inner else name


@dataclass(slots=True)
class _Count:
    """How much has come out of a bundle so far, nested ones included. held: kinds that are wanted in memory."""

    held: Container[str] = ()
    members: int = 0
    files: int = 0
    total: int = 0


def is_bundle(path: Path) -> bool:
    """Tell whether a path stands for several files."""
    return path.is_dir() or (path.is_file() and _kind(path) == "zip")


def members(path: Path, limits: Limits = BUNDLE_LIMITS, held: Container[str] = ()) -> Iterator[Member]:
    """Yield the files behind a path in order of their names; a member's path is only good until the next one.

    held: kinds of files of which the small members of a zip are given in memory.
    """
    count = _Count(held)
    if path.is_dir():
        yield from _folder(path, count, limits)
    elif is_bundle(path):
        yield from _bundle(path, path.name, 1, count, limits)
    else:
        yield Member(path.name, path, kind=_kind(path))


def _kind(path: Path) -> FileKind:
    """Tell what a file is; one that cannot be read is for the import to refuse."""
    try:
        return guard.kind_by_content(path)
    except OSError:
        return "unknown"


def _folder(path: Path, count: _Count, limits: Limits) -> Iterator[Member]:
    """Yield the files of a folder and its folders; links, hidden files and litter are left out."""
    found = sorted(
        each
        for each in path.rglob("*")
        if each.is_file() and not each.is_symlink() and not _LITTER.search(each.relative_to(path).as_posix())
    )
    if len(found) > limits.zip_entries:
        yield Member(path.name, None, (make("too_many_members", limit=limits.zip_entries),))
        return
    for each in found:
        name, kind = each.relative_to(path).as_posix(), _kind(each)
        if kind == "zip":
            yield from _bundle(each, name, 1, count, limits)
        else:
            yield Member(name, each, kind=kind)


def _bundle(path: Path, shown: str, depth: int, count: _Count, limits: Limits) -> Iterator[Member]:
    """Yield the members of a zip."""
    try:
        with (
            zipfile.ZipFile(path) as packed,
            tempfile.TemporaryDirectory(prefix="cvl-member-") as folder,
        ):
            named = ((_name(entry), entry) for entry in packed.infolist() if not entry.is_dir())
            entries = sorted((pair for pair in named if not _LITTER.search(pair[0])), key=itemgetter(0))
            count.members += len(entries)
            if count.members > limits.zip_entries:
                yield Member(shown, None, (make("too_many_members", limit=limits.zip_entries),))
                return
            if not entries:
                yield Member(shown, None, (make("empty_file"),))
            for name, entry in entries:
                if _unsafe(name) or "\0" in entry.orig_filename:
                    yield Member(f"{shown}/{name}", None, (make("member_path", value=clean(name)[:100]),))
                elif entry.flag_bits & 0x1:
                    yield Member(f"{shown}/{name}", None, (make("member_encrypted"),))
                else:
                    yield from _member(packed, entry, folder, f"{shown}/{name}", depth, count, limits)
    except _BROKEN as error:
        yield Member(shown, None, (make("zip_broken", value=type(error).__name__),))


def _member(
    packed: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: str, shown: str, depth: int, count: _Count, limits: Limits
) -> Iterator[Member]:
    """Yield one member of a zip, or the members of a zip that it is."""
    data = b""
    if entry.file_size <= _SMALL:  # more than it declares never comes out
        held = BytesIO()
        problem, data = _inflate(packed, entry, held, count, limits), held.getvalue()
        if problem is not None:
            yield Member(shown, None, (problem,))
            return
        if (kind := guard.kind_by_content(data)) in count.held:
            yield Member(shown, data, kind=kind, inner=True)
            return
    count.files += 1
    path = Path(folder, str(count.files))
    try:
        with path.open("wb") as file:
            file.write(data)
            problem = None if data else _inflate(packed, entry, file, count, limits)
        if problem is not None:
            yield Member(shown, None, (problem,))
        elif (kind := guard.kind_by_content(path)) != "zip":
            yield Member(shown, path, kind=kind, inner=True)
        elif depth >= BUNDLE_DEPTH:
            yield Member(shown, None, (make("nested_too_deep"),))
        else:
            yield from _bundle(path, shown, depth + 1, count, limits)
    finally:
        path.unlink(missing_ok=True)


def _inflate(
    packed: zipfile.ZipFile, entry: zipfile.ZipInfo, target: BinaryIO, count: _Count, limits: Limits
) -> Problem | None:
    """Inflate one member in pieces, and give up as soon as it passes a limit."""
    seen = 0
    try:
        with packed.open(entry) as source:
            while piece := source.read(_PIECE):
                seen += len(piece)
                count.total += len(piece)
                bomb = seen > limits.ratio_from and seen > limits.ratio * max(1, entry.compress_size)
                if bomb or count.total > limits.inflated_bytes or seen > limits.file_bytes:
                    return make("member_too_large", value=f"{seen / MIB:.1f}MB")
                target.write(piece)
    except _BROKEN as error:
        return make("zip_broken", value=type(error).__name__)
    return None


def _unsafe(name: str) -> bool:
    """Tell whether a name leads out of the zip."""
    return name.startswith("/") or ":" in name or ".." in name.split("/")


def _name(entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry; names that Windows wrote in GBK are read as such."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        try:
            data = name.encode("cp437")
        except UnicodeEncodeError:
            return name.replace("\\", "/")
        for codec in ("utf-8", "gb18030"):
            try:
                return data.decode(codec).replace("\\", "/")
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")

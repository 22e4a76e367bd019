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
from pathlib import Path, PurePosixPath
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
        name = clean(PurePosixPath(self.name).name)
        return re.sub(r"[^\w.()（）-]", "_", name)[-80:] or "member" if self.inner else PurePosixPath(self.name).name


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
            entries = sorted((e for e in packed.infolist() if not e.is_dir()), key=_name)
            entries = [entry for entry in entries if not _LITTER.search(_name(entry))]
            count.members += len(entries)
            if count.members > limits.zip_entries:
                yield Member(shown, None, (make("too_many_members", limit=limits.zip_entries),))
                return
            if not entries:
                yield Member(shown, None, (make("empty_file"),))
            for entry in entries:
                yield from _member(packed, entry, Path(folder), f"{shown}/{_name(entry)}", depth, count, limits)
    except _BROKEN as error:
        yield Member(shown, None, (make("zip_broken", value=type(error).__name__),))


def _member(
    packed: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, shown: str, depth: int, count: _Count, limits: Limits
) -> Iterator[Member]:
    """Yield one member of a zip, or the members of a zip that it is."""
    name = _name(entry)
    if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name or "\0" in entry.orig_filename:
        yield Member(shown, None, (make("member_path", value=clean(name)[:100]),))
        return
    if entry.flag_bits & 0x1:
        yield Member(shown, None, (make("member_encrypted"),))
        return
    count.files += 1
    path = folder / str(count.files)
    small = entry.file_size <= _SMALL  # more than it declares never comes out
    try:
        with BytesIO() if small else path.open("wb") as target:
            problem = _inflate(packed, entry, target, count, limits)
            source = target.getvalue() if isinstance(target, BytesIO) else path
        kind = "unknown" if problem else guard.kind_by_content(source)
        if problem is not None:
            yield Member(shown, None, (problem,))
        elif isinstance(source, bytes) and kind in count.held:
            yield Member(shown, source, kind=kind, inner=True)
        else:
            if isinstance(source, bytes):
                path.write_bytes(source)
            yield from _lying(path, kind, shown, depth, count, limits)
    finally:
        path.unlink(missing_ok=True)


def _lying(path: Path, kind: FileKind, shown: str, depth: int, count: _Count, limits: Limits) -> Iterator[Member]:
    """Yield a member that lies in a file, or the members of a zip that it is."""
    if kind != "zip":
        yield Member(shown, path, kind=kind, inner=True)
    elif depth >= BUNDLE_DEPTH:
        yield Member(shown, None, (make("nested_too_deep"),))
    else:
        yield from _bundle(path, shown, depth + 1, count, limits)


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

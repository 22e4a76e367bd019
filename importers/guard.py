"""Guards before any parser: what a file is by its content, and whether it may be opened at all.

Nothing is extracted to disk; a packed file is inflated in pieces and given up as soon as it passes a limit.
"""

import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Literal

from importers.limits import LIMITS, MIB, Limits
from importers.messages import make
from voucher.problem import Problem

FileKind = Literal["xlsx", "csv", "zip", "xml", "pdf", "ofd", "xls", "empty", "unknown"]
_CHUNK = 1 << 18
_HEAD = 1 << 16
_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_OVERLAP = 16


def kind_by_content(path: Path) -> FileKind:
    """Tell what a file is by its first bytes, never by its suffix."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        return "empty"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _packed_kind(path)
    if head.startswith(_OLE):
        return "xls"
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "csv"
    if b"\0" in head:
        return "unknown"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        return "empty" if path.stat().st_size <= _HEAD else "unknown"
    return "xml" if start.startswith(b"<") else "csv"


def _packed_kind(path: Path) -> FileKind:
    """Tell a workbook and an OFD from other packed files by the names within."""
    try:
        with zipfile.ZipFile(path) as packed:
            names = set(packed.namelist()[: LIMITS.zip_entries])
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "zip"
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    return "ofd" if "OFD.xml" in names else "zip"


def check_file(path: Path, limits: Limits = LIMITS) -> list[Problem]:
    """Return why a file may not be opened, empty when it may. Never raises for what is in the file."""
    if not path.is_file():
        return []
    size = path.stat().st_size
    if size > limits.file_bytes:
        return [make("file_too_large", value=_megabytes(size), limit=_megabytes(limits.file_bytes))]
    kind = kind_by_content(path)
    if kind == "xls":
        return [make("old_excel")]
    if kind in ("xlsx", "zip", "ofd"):
        return _check_packed(path, limits)
    return []


def _check_packed(path: Path, limits: Limits) -> list[Problem]:
    """Look at every entry of a packed file: its name, its flags, its real inflated size."""
    try:
        with zipfile.ZipFile(path) as packed:
            entries = packed.infolist()
            if len(entries) > limits.zip_entries:
                return [make("zip_bomb", value=f"含{len(entries)}个文件")]
            for entry in entries:
                problem = _check_entry(entry)
                if problem is not None:
                    return [problem]
            return _inflate_all(packed, entries, limits)
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        return [make("zip_broken", value=type(error).__name__)]


def _check_entry(entry: zipfile.ZipInfo) -> Problem | None:
    """Refuse an unsafe name or an encrypted entry."""
    name = entry.filename.replace("\\", "/")
    if (
        name.startswith("/")
        or ".." in PurePosixPath(name).parts
        or ":" in name
        or "\0" in entry.orig_filename
    ):
        return make("zip_path", value=entry.filename[:100])
    return make("zip_encrypted") if entry.flag_bits & 0x1 else None


def _inflate_all(packed: zipfile.ZipFile, entries: list[zipfile.ZipInfo], limits: Limits) -> list[Problem]:
    """Inflate every entry in pieces, count what really comes out, and look for declarations in XML."""
    total = 0
    for entry in entries:
        seen, tail = 0, b""
        is_xml = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
        with packed.open(entry) as stream:
            while piece := stream.read(_CHUNK):
                seen += len(piece)
                total += len(piece)
                if _too_big(seen, total, entry.compress_size, limits):
                    return [make("zip_bomb", value=f"{entry.filename[:60]}解开后超过{_megabytes(seen)}")]
                if is_xml and _DECLARATION.search(tail + piece):
                    return [make("doctype_refused", value=entry.filename[:60])]
                tail = piece[-_OVERLAP:]
    return []


def _too_big(seen: int, total: int, packed_size: int, limits: Limits) -> bool:
    """Tell whether an entry or all of them inflate beyond the limits."""
    if total > limits.inflated_bytes:
        return True
    return seen > limits.ratio_from and seen > limits.ratio * max(1, packed_size)


def _megabytes(size: int) -> str:
    return f"{size / MIB:.1f}MB"

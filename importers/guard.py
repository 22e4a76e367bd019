"""Guards before any parser: what a file is by its content, and whether it may be opened at all.

Nothing is extracted to disk; a packed file is inflated in pieces and given up as soon as it passes a limit.
"""

import re
import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from importers.limits import LIMITS, MIB, OFD_LIMITS, Limits
from importers.messages import make
from importers.sheet_size import SheetSize
from voucher.problem import Problem

FileKind = Literal["xlsx", "csv", "zip", "xml", "pdf", "ofd", "xls", "parquet", "empty", "unknown"]
Source = Path | bytes
"""A file, or what is in a small one."""
_CHUNK = 1 << 18
_HEAD = 1 << 16
_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_BIFF = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x10\x00")
_ARCHIVES = (b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")
_OFFICE = frozenset({"[Content_Types].xml", "META-INF/manifest.xml"})
"""Parts that office files have and no bundle of invoices."""
_WEB = (b"<html", b"<!doctype html", b"<table", b"<head", b"<meta")
_DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_DIRECTORY_BYTES = 4 * MIB
_OVERLAP = 64
_BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError,
           struct.error)  # fmt: skip


def kind_by_content(source: Source) -> FileKind:
    """Tell what a file is by its content, never by its suffix."""
    with _open(source) as stream:
        head = stream.read(_HEAD)
    if not head:
        return "empty"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _packed_kind(source)
    if head.startswith((_OLE, *_BIFF)):
        return "xls"
    if head.startswith(b"PAR1"):
        return "parquet"
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head[2:].replace(b"\0", b"")
    elif b"\0" in head:
        return "unknown"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower()
    if not start:
        return "empty" if _size(source) <= _HEAD else "unknown"
    if start.startswith(_WEB):
        return "unknown"
    return "xml" if start.startswith(b"<") else "csv"


def _unknown(source: Source) -> str:
    """Say what a file is that cannot be read."""
    with _open(source) as stream:
        head = stream.read(8)
    if head.startswith(_ARCHIVES):
        return "是 rar、7z 或 gz 压缩包，请解压后上传，或重新打包成 zip"
    return "是 Word、xlsb、ods 等其他办公文件" if head.startswith(b"PK") else "是图片、网页或其他文件"


def _open(source: Source) -> BinaryIO:
    return BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _size(source: Source) -> int:
    if isinstance(source, bytes):
        return len(source)
    return source.stat().st_size if source.is_file() else 0


def check_size(source: Source, limits: Limits = LIMITS) -> list[Problem]:
    """Return why a file is not even read, empty when it is."""
    size = _size(source)
    return [_too_large(size, limits)] if size > limits.file_bytes else []


def check_file(source: Source, limits: Limits = LIMITS, kind: FileKind | None = None) -> list[Problem]:
    """Return why a file may not be opened, empty when it may. Never raises for what is in the file.

    kind: of the file, when it is known.
    """
    problems = check_size(source, limits)
    if problems or (isinstance(source, Path) and not source.is_file()):
        return problems
    kind = kind or kind_by_content(source)
    if kind == "unknown":
        return [make("not_a_spreadsheet", detail=f"（{_unknown(source)}）")]
    if kind in ("xls", "empty"):
        return [make("old_excel" if kind == "xls" else "empty_file")]
    if kind == "ofd":
        limits = min(limits, OFD_LIMITS, key=lambda each: each.inflated_bytes)
        if too_large := check_size(source, limits):
            return too_large
    if kind in ("xlsx", "zip", "ofd"):
        return _check_packed(source, limits, SheetSize(limits) if kind == "xlsx" else None)
    return _check_xml(source) if kind == "xml" else []


def _too_large(size: int, limits: Limits) -> Problem:
    return make("file_too_large", value=_megabytes(size), limit=_megabytes(limits.file_bytes))


def _packed_kind(source: Source) -> FileKind:
    """Tell a workbook and an OFD from other packed files by the names within."""
    try:
        if _directory_bytes(source) > _DIRECTORY_BYTES:
            return "zip"
        with _open(source) as stream, zipfile.ZipFile(stream) as packed:
            names = set(packed.namelist())
    except _BROKEN:
        return "zip"
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "OFD.xml" in names:
        return "ofd"
    return "zip" if names.isdisjoint(_OFFICE) else "unknown"


def _directory_bytes(source: Source) -> int:
    """Return how long the table of contents of a packed file claims to be, before anything reads it whole.

    The largest claim of the ordinary and the zip64 end record counts; 0 when there is no end record.
    """
    with _open(source) as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _HEAD - 22))
        tail = stream.read()
        end = tail.rfind(b"PK\x05\x06")
        if end < 0 or len(tail) < end + 22:
            return 0
        claimed: int = struct.unpack_from("<I", tail, end + 12)[0]
        locator = tail.rfind(b"PK\x06\x07", 0, end)
        if locator >= 0:
            stream.seek(min(struct.unpack_from("<Q", tail, locator + 8)[0], size))
            record = stream.read(56)
            if len(record) == 56:
                claimed = max(claimed if claimed != 0xFFFFFFFF else 0, struct.unpack_from("<Q", record, 40)[0])
    return claimed


def _check_packed(source: Source, limits: Limits, sheets: SheetSize | None) -> list[Problem]:
    """Look at every entry of a packed file: its name, its flags, its real inflated size, its declarations."""
    try:
        if _directory_bytes(source) > _DIRECTORY_BYTES:
            return [make("zip_bomb", value="文件目录过长")]
        with _open(source) as stream, zipfile.ZipFile(stream) as packed:
            entries = packed.infolist()
            problem = _check_entries(entries, limits)
            total = 0
            for entry in entries if problem is None else ():
                total, problem = _inflate(packed, entry, total, limits, sheets)
                if problem is not None:
                    break
        return [] if problem is None else [problem]
    except _BROKEN as error:
        return [make("zip_broken", value=type(error).__name__)]


def _check_entries(entries: list[zipfile.ZipInfo], limits: Limits) -> Problem | None:
    """Refuse too many entries, unsafe or repeated names, encryption, and sizes that are too large as declared."""
    if len(entries) > limits.zip_entries:
        return make("zip_bomb", value=f"含{len(entries)}个文件")
    names: set[str] = set()
    for entry in entries:
        name = entry.orig_filename.replace("\\", "/")
        if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name or "\0" in name:
            return make("zip_path", value=entry.filename[:100])
        if entry.flag_bits & 0x1:
            return make("zip_encrypted")
        if name in names:
            return make("zip_broken", value=f"文件名重复：{entry.filename[:60]}")
        names.add(name)
    declared = sum(entry.file_size for entry in entries)
    return make("zip_bomb", value=f"声明大小{_megabytes(declared)}") if declared > limits.inflated_bytes else None


def _inflate(
    packed: zipfile.ZipFile, entry: zipfile.ZipInfo, total: int, limits: Limits, sheets: SheetSize | None
) -> tuple[int, Problem | None]:
    """Inflate one entry in pieces, count what really comes out, and look into its XML.

    An entry that inflates to more or less than it declares fails its checksum (BadZipFile). Returns the new total.
    """
    seen, tail, is_xml = 0, b"", False
    with packed.open(entry) as stream:
        while piece := stream.read(_CHUNK):
            if not seen:
                is_xml = _looks_like_xml(entry.filename, piece)
                if is_xml and sheets is not None:
                    sheets.begin()
            seen += len(piece)
            ratio = seen > limits.ratio_from and seen > limits.ratio * max(1, entry.compress_size)
            if ratio or total + seen > limits.inflated_bytes:
                return total, make("zip_bomb", value=f"{entry.filename[:60]}解开后超过{_megabytes(seen)}")
            if not is_xml:
                continue
            if _DECLARATION.search((tail + piece).replace(b"\0", b"")):
                return total, make("doctype_refused", value=entry.filename[:60])
            tail = piece[-_OVERLAP:]
            problem = sheets.watch(piece) if sheets is not None else None
            if problem is not None:
                return total, problem
    return total + seen, None


def _looks_like_xml(name: str, piece: bytes) -> bool:
    """Tell whether an entry is read as XML: by its name, or by how it begins wherever a workbook keeps its parts."""
    if name.lower().endswith((".xml", ".rels", ".vml")):
        return True
    start = piece[:64].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return start.startswith(b"<") and "/media/" not in name


def _check_xml(source: Source) -> list[Problem]:
    """Refuse an XML file with a DOCTYPE or an entity anywhere in it."""
    tail = b""
    with _open(source) as stream:
        while piece := stream.read(_CHUNK):
            if _DECLARATION.search((tail + piece).replace(b"\0", b"")):
                return [make("doctype_refused", value="DOCTYPE")]
            tail = piece[-_OVERLAP:]
    return []


def _megabytes(size: int) -> str:
    return f"{size / MIB:.1f}MB"

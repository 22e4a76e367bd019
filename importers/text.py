"""Bytes to text by a fixed cascade, and cells cleaned of what cannot be seen."""

import codecs
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO

Encoding = Literal["utf-8-sig", "utf-16", "utf-8", "gb18030"]
Fault = Literal["undecodable", "nul", "long_line"]
Codec = Literal["utf-8", "latin-1"]
"""How text stands in memory: as itself, or on the wire (its UTF-8 bytes read as latin-1, see `open_wire`)."""
LOST = "?"
"""Stands for a character that cannot be kept."""
CONTROLS = bytes(code for code in [*range(0x20), 0x7F] if code not in (0x09, 0x0A, 0x0D))
"""Control characters other than tab and line ends: single bytes in all encodings here but UTF-16."""
CHUNK = 1 << 20
"""Bytes per step; a stretch of this size without a line end is no table."""

_INVISIBLE = dict.fromkeys(
    [0x00AD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF]
)
_BLANKS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA1), 0x2028, 0x2029, 0x3000], " ")
_TEXT = {**_BLANKS, **_INVISIBLE}
_HALF = {
    **{code: chr(code - 0xFEE0) for span in ("０９", "ＡＺ", "ａｚ") for code in range(ord(span[0]), ord(span[1]) + 1)},
    **{ord(full): half for full, half in zip("－−﹣．，％／（）：", "---.,%/():", strict=True)},
}
_MARKS = frozenset({"'", "`", "="})
_QUOTED = re.compile(r'="([^"]*)"\Z')
_PLAIN = re.compile(r"[!-~\u4e00-\u9fff]*\Z")
"""What needs no cleaning: no blanks, nothing invisible, nothing full-width."""


@dataclass(frozen=True, slots=True)
class Decision:
    """encoding: the codec to open the file with, None when there is none; fault: why not.

    clean: there is surely no control character in the file but tabs and line ends.
    """

    encoding: Encoding | None
    fault: Fault | None = None
    clean: bool = False


def clean(cell: str) -> str:
    """Return a free text without invisible and control characters, blanks at the ends cut."""
    return cell if _PLAIN.match(cell) else cell.translate(_TEXT).strip()


def clean_id(cell: str) -> str:
    """Return an identifier, amount or day: cleaned, full-width digits, letters and signs made half-width.

    The marks by which exports say “this is text” are cut: a leading apostrophe or backquote, and ="…" around it.
    """
    if not _PLAIN.match(cell):
        cell = cell.translate(_TEXT).strip().translate(_HALF)
    if cell[:1] not in _MARKS:
        return cell
    quoted = _QUOTED.match(cell)
    return quoted[1] if quoted else cell.lstrip("'`")


def has_control(cell: str) -> bool:
    """Tell whether a cell has a control character once the blanks at its ends are cut."""
    return not cell.isprintable() and any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in cell.strip())


def _try(file: BinaryIO, codec: Encoding, whole: bool) -> Decision:
    """Read the file through to its end in one codec; a fault when a byte does not fit."""
    file.seek(0)
    clean = codec != "utf-16"
    decoder = codecs.getincrementaldecoder(codec)("strict")
    while data := file.read(CHUNK):
        try:
            text = decoder.decode(data)
        except UnicodeDecodeError:
            return Decision(None, "undecodable")
        if "\0" in text:
            return Decision(None, "nul")
        if len(data) == CHUNK and "\n" not in text and "\r" not in text:
            return Decision(None, "long_line")
        clean = clean and len(data.translate(None, CONTROLS)) == len(data)
        if not whole:
            return Decision(codec, clean=False)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return Decision(None, "undecodable")
    return Decision(codec, clean=clean)


def decide(path: Path, *, whole: bool = True) -> Decision:
    """Choose the encoding of a file over all its bytes, in bounded memory; not `whole`: by its first megabyte.

    Byte-order mark (UTF-8, UTF-16), else strict UTF-8, else strict GB18030, else none. Never guessed by statistics:
    those call a mostly-ASCII GBK file Korean.
    """
    with path.open("rb") as file:
        head = file.read(4)
        cascade: tuple[Encoding, ...] = ("utf-8", "gb18030")
        if head.startswith(codecs.BOM_UTF8):
            cascade = ("utf-8-sig",)
        elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            cascade = ("utf-16",)
        for encoding in cascade:
            decision = _try(file, encoding, whole)
            if decision.fault != "undecodable":
                return decision
    return Decision(None, "undecodable")


class _AsUtf8(io.RawIOBase):
    """Turn a file of another encoding into UTF-8 bytes while it is read."""

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self._file = path.open("r", encoding=encoding, errors="replace", newline="", buffering=CHUNK)
        self._rest = b""

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer with the next bytes, zero at the end."""
        if not self._rest:
            self._rest = self._file.read(len(buffer)).encode()
        part = self._rest[: len(buffer)]
        self._rest = self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        """Close the file behind."""
        self._file.close()
        super().close()


def open_wire(path: Path, encoding: Encoding) -> TextIO:
    """Open a decided file as its UTF-8 bytes read as latin-1, line ends untouched.

    One byte a character: splitting, joining and writing Chinese text costs a third of what it costs as
    text. Commas, quotes and line ends are single bytes in UTF-8 and occur in no other character. See `plain`.
    """
    if encoding in ("utf-8", "utf-8-sig"):
        file = path.open("r", encoding="latin-1", newline="", buffering=CHUNK)
    else:
        file = io.TextIOWrapper(io.BufferedReader(_AsUtf8(path, encoding), CHUNK), encoding="latin-1", newline="")
    if encoding == "utf-8-sig":
        file.read(len(codecs.BOM_UTF8))
    return file


def plain(piece: str, codec: Codec) -> str:
    """Return the text of a piece; on the wire it must begin and end with whole characters.

    Replacement characters appear only where a file was changed after its encoding was decided.
    """
    return piece if codec == "utf-8" or piece.isascii() else piece.encode(codec).decode(errors="replace")


def wire(piece: str, codec: Codec) -> str:
    """Return a text as it stands in the codec: the inverse of `plain`."""
    return piece if codec == "utf-8" or piece.isascii() else piece.encode().decode(codec)

"""Read the lines of COPY text with delimiter `|`, as the bodies of sealed acts hold them."""

import re
from collections.abc import Iterable, Iterator

_FIELD = re.compile(r"(?:[^|\\]|\\.)*", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def fields(line: str) -> list[str | None]:
    """Split one line (without its line feed) into its values; `\\N` is None. Raises ValueError on a loose backslash."""
    if "\\" not in line:
        return list(line.split("|"))
    return [_plain(part) for part in (_parted(line) if "\\|" in line or line.endswith("\\") else line.split("|"))]


def _plain(part: str) -> str | None:
    """Take the escapes out of a value."""
    if "\\" not in part:
        return part
    return None if part == "\\N" else _ESCAPE.sub(lambda m: _MEANS.get(m[1], m[1]), part)


def _parted(line: str) -> list[str]:
    """Split a line in which a delimiter may be escaped."""
    parts: list[str] = []
    place = 0
    while match := _FIELD.match(line, place):
        parts.append(match[0])
        place = match.end()
        if place == len(line):
            break
        if line[place] != "|":
            raise ValueError(line)
        place += 1
    return parts


def tables(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Go through the lines of a body: the table each row stands under, and the row."""
    table = ""
    for line in lines:
        text = line.decode("utf-8").removesuffix("\n")
        if text.startswith("@"):
            table = text[1:]
        else:
            yield table, text

"""Read the cells of a usage file: instants, amounts with many decimals, texts; each distinct cell is read once."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from zoneinfo import ZoneInfo

from importers import cells, text
from importers.cells import Cell
from importers.text import Codec, clean, clean_id

PLACES = 12
"""Decimals that are kept of a yuan or of a quantity; clouds bill with up to ten, a double shows up to seventeen."""
PARTS = 10**PLACES
LARGEST = 10**11 * PARTS
_PART, _ENOUGH = Decimal(f"1E-{PLACES}"), Context(prec=40, Emin=MIN_EMIN, Emax=MAX_EMAX)
_INSTANT = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?)?"
    r" *(Z|UTC|(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})?)?\Z",
    re.ASCII,
)
_SOLID_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})\Z", re.ASCII)
_DECIMAL = re.compile(r"([+-]?)(\d{0,18})(?:\.(\d{0,12})(?:\d*))?\Z", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?\Z", re.ASCII)
_FINE = re.compile(r"\.\d{13}|[eE]", re.ASCII)
_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHONGQING = 8 * 3600
"""Seconds that the day begins before UTC's; the same all year since 1992."""
NULLS = frozenset({"NULL", "null", "None", "nan", "NaN"})
"""Words that some exports write where the specification wants nothing."""

Read = Callable[[str], tuple[object, str | None]]


class Memo(dict[Cell, object]):
    """Read the cells of one column; each distinct cell is read once. notes: the problem code of cells that have one.

    summed: what the column holds is added up, so that a cell merged with the row above has nothing of its own.
    """

    LIMIT = 100_000

    def __init__(self, read: Read, codec: Codec = "utf-8", *, summed: bool = False) -> None:
        super().__init__()
        self.notes: dict[Cell, str] = {}
        self._read = read
        self._codec: Codec = codec
        self._summed = summed

    def __missing__(self, cell: Cell) -> object:
        """Read a cell not seen before."""
        shown = text.plain(cells.show(cell), self._codec)
        fault = cells.flaw(shown)
        if fault == "merged_cells":  # it says the same as the row above, unless that is a sum over several rows
            shown, fault = shown.removeprefix(cells.MERGED), fault if self._summed else None
        value, code = self._read(shown)
        code = fault or code
        if code is not None:
            self.notes[cell] = code
        self[cell] = value
        return value

    def column(self, column: Sequence[Cell]) -> list[object]:
        """Return the values of a chunk's cells."""
        if len(self) > self.LIMIT:
            self.clear()
            self.notes.clear()
        if column and column[0] == column[-1] and column.count(column[0]) == len(column):
            return [self[column[0]]] * len(column)
        return list(map(self.__getitem__, column))

    def noted(self, column: Sequence[Cell]) -> list[tuple[int, str]]:
        """List index and code of the cells of a chunk that have one."""
        if not self.notes or self.notes.keys().isdisjoint(column):
            return []
        return [(index, self.notes[cell]) for index, cell in enumerate(column) if cell in self.notes]


def read_word(cell: str) -> tuple[str, str | None]:
    """Read a text; a word that stands for nothing is nothing, with a warning."""
    word = clean(cell)
    return ("", "usage_null_written") if word in NULLS else (word, None)


def read_unit(cell: str) -> tuple[str, str | None]:
    """Read a unit: part of a key, so it is short and has no bar in it."""
    word, code = read_word(cell)
    return ("", "usage_unit_bad") if "|" in word or len(word) > 60 else (word, code)


def read_parts(cell: str) -> tuple[int | None, str | None]:
    """Read a number as whole parts of 10⁻¹²; finer decimals are rounded half up. None for an empty cell."""
    word = clean_id(cell).lstrip("¥￥")
    if not word or word in NULLS:
        return None, "usage_null_written" if word else None
    if _GROUPED.match(word):
        word = word.replace(",", "")
    if _FINE.search(word):
        return _rounded(word)
    match = _DECIMAL.match(word)
    if match is None or not (match[2] or match[3]):
        return None, "usage_number_bad"
    sign, whole, decimals = match.groups()
    value = int(whole or "0") * PARTS + int((decimals or "").ljust(PLACES, "0"))
    if value >= LARGEST:
        return None, "amount_too_large"
    return (-value if sign == "-" else value), None


def _rounded(word: str) -> tuple[int | None, str | None]:
    """Read a number in scientific notation or with very many decimals, as a double is written."""
    try:
        number = Decimal(word)
    except ArithmeticError:
        return None, "usage_number_bad"
    if not number.is_finite():
        return None, "usage_number_bad"
    if number and number.adjusted() >= 11:
        return None, "amount_too_large"
    value = int(number.quantize(_PART, ROUND_HALF_UP, _ENOUGH).scaleb(PLACES, _ENOUGH))
    return (value, None) if abs(value) < LARGEST else (None, "amount_too_large")


class Instants:
    """Read instants; those without a zone are taken to be of `zone`.

    A day without a time is its first second, as a workbook writes an instant of midnight. With `closing` such a cell,
    and midnight too, is a last day as on paper: its last second.
    """

    def __init__(self, zone: str, *, closing: bool, utc_only: bool) -> None:
        self._zone = ZoneInfo(zone)
        self._closing = closing
        self._utc_only = utc_only

    def __call__(self, cell: str) -> tuple[int | None, str | None]:
        """Return the seconds since 1970 in UTC, None for an empty cell."""
        word = clean_id(cell)
        if not word or word in NULLS:
            return None, None
        match = _INSTANT.match(_SOLID_DAY.sub(r"\1-\2-\3", word))
        if match is None:
            return None, "usage_time_bad"
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        try:
            moment = datetime(year, month, day, hour, minute, second, tzinfo=self._offset(match))
        except ValueError:
            return None, "usage_time_bad"
        last_day = self._closing and hour == minute == second == 0
        seconds = int((moment - _EPOCH).total_seconds()) + (_DAY - 1 if last_day else 0)
        return seconds, "usage_time_not_utc" if self._utc_only and match[7] not in ("Z", "UTC") else None

    def _offset(self, match: re.Match[str]) -> timezone | ZoneInfo:
        """Return the zone that an instant names, else the one that holds without."""
        if match[7] is None:
            return self._zone
        if match[8] is None:
            return UTC
        minutes = int(match[9]) * 60 + int(match[10] or 0)
        return timezone(timedelta(minutes=-minutes if match[8] == "-" else minutes))


def day_of(seconds: int) -> int:
    """Return the day in Chongqing of an instant, counted from 1970-01-01."""
    return (seconds + _CHONGQING) // _DAY


def is_day_start(seconds: int) -> bool:
    """Tell whether a day begins in Chongqing at an instant."""
    return (seconds + _CHONGQING) % _DAY == 0

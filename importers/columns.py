"""Columns as values: what a format declares, how its header is found, how a whole column of cells is read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from importers import cells, text
from importers.cells import Cell, Reader, Reading, Value
from importers.text import Codec, clean_id

ColumnType = Literal["id", "uscc", "tax_code", "reference", "text", "day", "money", "number", "rate", "choice"]
FieldType = Literal["text", "date", "bigint", "integer", "numeric"]


@dataclass(frozen=True, slots=True)
class StagedField:
    """One typed field that every format delivers. column: its Chinese name in problems; sql: its type in staging."""

    name: str
    sql: FieldType
    column: str


STAGED: tuple[StagedField, ...] = (
    StagedField("invoice_number", "text", "发票号码"),
    StagedField("invoice_kind", "text", "发票类型"),
    StagedField("issued_on", "date", "开票日期"),
    StagedField("provider_uscc", "text", "供方统一社会信用代码"),
    StagedField("provider_name", "text", "供方名称"),
    StagedField("company_uscc", "text", "用方统一社会信用代码"),
    StagedField("company_name", "text", "用方名称"),
    StagedField("contract_no", "text", "合同编号"),
    StagedField("service_from", "date", "服务起始日"),
    StagedField("service_until", "date", "服务截止日"),
    StagedField("tax_code", "text", "税收分类编码"),
    StagedField("item", "text", "项目名称"),
    StagedField("spec", "text", "规格型号"),
    StagedField("unit", "text", "计量单位"),
    StagedField("usage_qty", "numeric", "用量"),
    StagedField("net_fen", "bigint", "不含税金额"),
    StagedField("rate_bp", "integer", "税率"),
    StagedField("tax_fen", "bigint", "税额"),
    StagedField("gross_fen", "bigint", "价税合计"),
    StagedField("paid_fen", "bigint", "已付金额"),
    StagedField("original_number", "text", "原发票号码"),
    StagedField("remark", "text", "备注"),
)
"""The typed fields of a row, in the order of the staging table; service_until is inclusive, as on paper."""

RETURN_COLUMNS = ("原行号", "错误代码", "错误说明")
"""Columns that a return file adds; ignored when it comes back."""
HEADER_WITHIN = 10
"""Rows from the top among which the header is looked for."""


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column of a format.

    name: header text. field: the staged field it fills, empty for none. choices: accepted word and value.
    wrong: the problem code in place of the type's own (only for choice).
    """

    name: str
    field: str
    type: ColumnType
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    wrong: str = "bad_choice"


@dataclass(frozen=True, slots=True)
class Header:
    """A header row as found. cells: as uploaded; positions: per declared column its place, None when absent."""

    sheet: str
    row_no: int
    cells: tuple[str, ...]
    positions: tuple[int | None, ...]
    missing: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()

    @property
    def found(self) -> int:
        """Number of declared columns that are there."""
        return sum(position is not None for position in self.positions)


def header_name(cell: Cell) -> str:
    """Return a header cell as a name: no blanks, half-width, no trailing star."""
    return _name_of(cells.show(cell))


@lru_cache(1_024)
def _name_of(shown: str) -> str:
    """Clean a name; the same few come again and again."""
    return re.sub(r"\s+", "", clean_id(shown)).rstrip("*＊")


def match_header(columns: Sequence[Column], sheet: str, row_no: int, row: Sequence[Cell]) -> Header:
    """Match one row against the declared columns, in any order. All declared columns must be there once."""
    names = [header_name(cell) for cell in row]
    while names and not names[-1]:
        names.pop()
    places: dict[str, int] = {}
    doubled: dict[str, None] = {}
    known = {header_name(column.name) for column in columns}
    for place, name in enumerate(names):
        if name in places and name in known:
            doubled[name] = None
        places.setdefault(name, place)
    positions = tuple(places.get(header_name(column.name)) for column in columns)
    missing = tuple(c.name for c, position in zip(columns, positions, strict=True) if position is None)
    shown = tuple(text.clean(cells.show(cell)) for cell in row[: len(names)])
    return Header(sheet, row_no, shown, positions, missing, tuple(doubled))


def find_header(columns: Sequence[Column], rows: Iterable[tuple[str, int, Sequence[Cell]]]) -> Header | None:
    """Return the row that names most of the declared columns, None when no row names at least a third of them."""
    best: Header | None = None
    for sheet, row_no, row in rows:
        header = match_header(columns, sheet, row_no, row)
        if best is None or header.found > best.found:
            best = header
        if best.found == len(columns):
            break
    return best if best is not None and best.found * 3 >= len(columns) else None


_READERS: Mapping[ColumnType, Reader] = {
    "id": cells.read_invoice_number,
    "uscc": cells.read_uscc,
    "tax_code": cells.read_tax_code,
    "reference": cells.read_reference,
    "text": cells.read_text,
    "day": cells.read_day,
    "money": cells.read_money,
    "number": cells.read_number,
    "rate": cells.read_rate,
}
_EXACT = 10**11
"""Yuan below which fen have at most 13 of the 15 digits that Excel keeps."""
# the usual shapes, each cell behind a line end; possessive, so that a failing match does not go back
_MONEY = re.compile(r"(?:\n-?\d{1,11}\.\d\d)*+\Z", re.ASCII)
_QUANTITY = re.compile(r"(?:\n(?:0|[1-9]\d{0,14})(?:\.\d{0,9}[1-9])?+)*+\Z", re.ASCII)


class ColumnReader(dict[Cell, Value]):
    """Read the cells of one column; each distinct cell is read once.

    codec: how text stands in memory, in the cells as in the values. `notes` holds the problem code of every
    remembered cell that has one.
    """

    LIMIT = 50_000

    def __init__(self, column: Column, codec: Codec = "utf-8") -> None:
        super().__init__()
        self.column = column
        self.notes: dict[Cell, str] = {}
        self._codec: Codec = codec
        self._choices = dict(column.choices)
        self._read: Reader = self._choose if column.type == "choice" else _READERS[column.type]

    def __missing__(self, cell: Cell) -> Value:
        """Read a cell not seen before."""
        plain = text.plain(cell, self._codec) if isinstance(cell, str) else cell
        fault = cells.flaw(plain)
        if fault == "merged_cells":  # it says the same as the row above; but a sum over several rows is not each row's
            plain = str(plain).removeprefix(cells.MERGED)
            fault = fault if self.column.type in ("money", "number") else None
        value, code = self._read(plain)
        if isinstance(value, str):
            value = text.wire(value, self._codec)
        if code is None and value is None and self.column.required:
            code = "required"
        code = fault or code
        if code is not None:
            self.notes[cell] = code
        self[cell] = value
        return value

    def _choose(self, cell: Cell) -> Reading:
        word = clean_id(cells.show(cell))
        value = self._choices.get(word)
        return (value, None) if value is not None or not word else (None, self.column.wrong)

    def read(self, column: Sequence[Cell]) -> Sequence[Value]:
        """Return the values of a chunk's cells; numbers of the usual shapes are read all at once."""
        if len(self) > self.LIMIT:
            self.clear()
            self.notes.clear()
        if column and column[0] == column[-1] and column.count(column[0]) == len(column):
            return [self[column[0]]] * len(column)
        usual = _at_once(self.column.type, column)
        return list(map(self.__getitem__, column)) if usual is None else usual


def _at_once(type_: ColumnType, column: Sequence[Cell]) -> Sequence[Value] | None:
    """Read a column in which every cell has the usual shape of its type, None when one has not."""
    if type_ not in ("money", "number", "id") or not column:
        return None
    if set(map(type, column)) != {str}:
        return _floats_at_once(type_, column)
    joined = "\n" + "\n".join(column)  # type: ignore[arg-type]
    if joined.count("\n") != len(column):
        return None
    if type_ == "money":
        return list(map(int, joined.replace(".", "").split())) if _MONEY.match(joined) else None
    if type_ == "number":
        return column if _QUANTITY.match(joined) else None  # type: ignore[return-value]
    digits = joined.replace("\n", "")
    usual = digits.isascii() and digits.isdigit() and set(map(len, column)) == {20}  # type: ignore[arg-type]
    usual = usual and "\n0" not in joined  # a legacy code and its number run together
    return column if usual else None  # type: ignore[return-value]


def _floats_at_once(type_: ColumnType, column: Sequence[Cell]) -> Sequence[Value] | None:
    """Read a column of a workbook in which every cell is numeric and of the usual shape, None when one is not.

    A double that equals a whole number of fen divided by 100 is the one that Excel shows with two decimals.
    """
    if type_ == "id" or set(map(type, column)) != {float}:
        return None
    numbers: Sequence[Any] = column
    if not -_EXACT < min(numbers) <= max(numbers) < _EXACT:
        return None
    try:
        if type_ == "money":
            fens = [round(number * 100) for number in numbers]
            return fens if [fen / 100 for fen in fens] == list(numbers) else None
        units = list(map(int, numbers))
        return list(map(str, units)) if units == list(numbers) else None
    except (ValueError, OverflowError):
        return None

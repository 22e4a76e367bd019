"""A report as a value: the header of its SQL file, and the face, rows and differences that writers lay out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from voucher.money import format_yuan

ColumnType = Literal["text", "id", "money", "count", "day", "percent", "capitals", "reasons", "figure"]
TYPES: tuple[ColumnType, ...] = ("text", "id", "money", "count", "day", "percent", "capitals", "reasons", "figure")
ChartType = Literal["column", "bar", "stack", "line", "pie"]
CHARTS: tuple[ChartType, ...] = ("column", "bar", "stack", "line", "pie")
CHARTED = 30
"""Rows that a chart shows: more than anyone can read would hide the first."""
Value = str | int | date | None
AGREED = "核对一致，无差异"
AGREED_WITHIN = "表内相符，无差异（全部账目的核对见月度对账表）"
_COLUMN = re.compile(r"--\s+([a-z_0-9]+)\s*\|\s*([^|]+?)\s*\|\s*([a-z]+)\s*\|\s*(\d+)\s*\Z")
_FIELD = re.compile(r"-- (\w+):\s*(.*)\Z")


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column. name: as the query gives it; title: Chinese; width: in characters.

    Values: text, id and figure (a number of any unit) are str, money is whole fen, count an int, percent hundredths
    of a percent, day a date; capitals are fen in the query and their Chinese words here, reasons a stored list and its
    Chinese sentences.
    """

    name: str
    title: str
    type: ColumnType
    width: int

    @property
    def key(self) -> str:
        """Name in JSON, without the unit."""
        return self.name.removesuffix("_fen").removesuffix("_bp").removesuffix("_on")

    @property
    def sums(self) -> bool:
        """Tell whether the column adds up."""
        return self.type in ("money", "count")


@dataclass(frozen=True, slots=True)
class Balance:
    """An equation that each row must fulfil: one column is the sum of others."""

    whole: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of the first sheet's rows: one column names the points, others give their values."""

    type: ChartType
    title: str
    category: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The header of a report's SQL file. checks: `all` runs every check of the books before it is written.

    basis: one line for the face; notes: explained below the table; {year}, {period}, {days} and {tolerance} stand for
    what was asked for.
    sums: columns that are added up where the query gives no totals; gathers: a folder of queries whose rows the
    query is given. over_many: the query steps over many rows, of which PostgreSQL's statistics know nothing.
    """

    name: str
    title: str
    params: frozenset[str]
    checks: str
    basis: str
    notes: tuple[str, ...]
    balances: tuple[Balance, ...]
    columns: tuple[Column, ...]
    charts: tuple[Chart, ...] = ()
    sums: frozenset[str] = frozenset()
    gathers: str = ""
    over_many: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One sheet of rows; each row has a value per column of the layout, in order."""

    title: str
    rows: Sequence[tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """What does not agree. act_no: seal number of the act concerned, if known."""

    title: str
    act_no: int | None
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement of a report's face. wide: it takes a line of its own."""

    label: str
    text: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A finished report. face: stands above the table, notes below it; totals: one value per column, or None.

    sealed_at: when the cutoff's seal was recorded; the only time a report knows of.
    digest: the chain digest (SHA-256) of that seal.
    """

    layout: Layout
    period: str
    cutoff: int
    sealed_at: datetime
    digest: str
    face: tuple[Fact, ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    totals: tuple[Value, ...] | None
    differences: tuple[Difference, ...]

    @property
    def agreed(self) -> str:
        """Say that nothing differs, and of what: only a report that ran all checks speaks for the books."""
        return AGREED if self.layout.checks else AGREED_WITHIN

    @property
    def rows(self) -> int:
        """Count the rows of all sheets, totals not among them."""
        return sum(len(section.rows) for section in self.sections)


def parse_layout(name: str, text: str) -> Layout:
    """Read the header of a report's SQL file. Raises ValueError when it lacks something."""
    fields: dict[str, list[str]] = {}
    columns: list[Column] = []
    for line in text.split("\n"):
        if not line.startswith("--"):
            break
        if field := _FIELD.match(line):
            fields.setdefault(field[1], []).append(field[2].strip())
        elif "columns" in fields and (match := _COLUMN.match(line)):
            columns.append(_column(match[1], match[2], match[3], int(match[4])))
        elif "columns" in fields:
            raise ValueError(f"{name}: {line}")
    if not columns or "report" not in fields:
        raise ValueError(f"{name}: report or columns missing")
    names = {column.name for column in columns}
    balances = tuple(_balance(equation, names) for equation in fields.get("balance", []))
    return Layout(
        name,
        fields["report"][0],
        frozenset(re.findall(r"[a-z_]+", re.sub(r"\(.*?\)", "", " ".join(fields["params"])))),
        (fields.get("checks") or [""])[0],
        (fields.get("basis") or [""])[0],
        tuple(fields.get("note", [])),
        balances,
        tuple(columns),
        tuple(_chart(words, names) for words in fields.get("chart", [])),
        _sums(fields, columns),
        (fields.get("gathers") or [""])[0],
        fields.get("over") == ["many rows"],
    )


def _sums(fields: Mapping[str, list[str]], columns: list[Column]) -> frozenset[str]:
    """Read which columns add up: all of money and counts when the header does not say."""
    if "sums" not in fields:
        return frozenset(column.name for column in columns if column.sums)
    return frozenset(re.findall(r"[a-z_]+", fields["sums"][0])) & {column.name for column in columns}


def _chart(words: str, names: set[str]) -> Chart:
    type_, title, category, values = (part.strip() for part in words.split("|"))
    shown = tuple(value.strip() for value in values.split(","))
    for known in CHARTS:
        if known == type_ and {category, *shown} <= names:
            return Chart(known, title, category, shown)
    raise ValueError(words)


def _column(name: str, title: str, type_: str, width: int) -> Column:
    for known in TYPES:
        if known == type_:
            return Column(name, title, known, width)
    raise ValueError(f"{name}: {type_}")


def _balance(equation: str, names: set[str]) -> Balance:
    whole, _, rest = equation.partition("=")
    balance = Balance(whole.strip(), tuple(part.strip() for part in rest.split("+")))
    if not {balance.whole, *balance.parts} <= names:
        raise ValueError(equation)
    return balance


def chart_title(report: "Report", chart: Chart, shown: int) -> str:
    """Title a chart; one that does not show all rows says so."""
    return f"{chart.title}（前{shown}项）" if shown < len(report.sections[0].rows) else chart.title


def ticks(most: int) -> range:
    """Divide an axis from 0 to at least `most` into at most six round steps: 1, 2 or 5 times a power of ten."""
    power = 1
    while power * 60 < most:
        power *= 10
    step = next(power * each for each in (1, 2, 5, 10) if power * each * 6 >= most)
    return range(0, -(-max(most, 1) // step) * step + 1, step)


def show(column: Column, value: Value) -> str:
    """Write a value as plain text: money in yuan, days in ISO, percent with two decimals, nothing as empty."""
    if value is None:
        return ""
    if column.type in ("money", "percent"):
        assert isinstance(value, int)
        return format_yuan(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def shown_columns(report: Report, section: Section) -> list[int]:
    """Return the places of the columns a sheet shows: on later sheets those that say nothing there are left out."""
    places = range(len(report.layout.columns))
    if section is report.sections[0]:
        return list(places)
    return [place for place in places if any(row[place] not in (None, "") for row in section.rows)]


def cross_check(
    layout: Layout, rows: Sequence[tuple[Value, ...]], totals: tuple[Value, ...] | None, control: Mapping[str, Value]
) -> list[Difference]:
    """Check a report within itself: equations per row, columns against totals, totals against the ledger's figures."""
    places = {column.name: place for place, column in enumerate(layout.columns)}
    found: list[Difference] = []
    for number, row in enumerate([*rows, *([totals] if totals else [])], start=1):
        for balance in layout.balances:
            whole, parts = row[places[balance.whole]], [row[places[part]] for part in balance.parts]
            if _int(whole) != sum(map(_int, parts)):
                subject = "合计行" if row is totals else f"第{number}行"
                found.append(Difference("表内勾稽", None, subject, _unbalanced(layout, balance, row, places)))
    for place, column in enumerate(layout.columns):
        if totals is None or column.name not in layout.sums:
            continue
        added, total = sum(_int(row[place]) for row in rows), _int(totals[place])
        if added != total:
            detail = f"各行相加为{show(column, added)}，合计行为{show(column, total)}。"
            found.append(Difference("各行与合计", None, column.title, detail))
        if control.get(column.name) is not None and _int(control[column.name]) != total:
            booked = show(column, control[column.name])
            detail = f"合计为{show(column, total)}，账上为{booked}。"
            found.append(Difference("合计与账", None, column.title, detail))
    return found


def _int(value: Value) -> int:
    return value if isinstance(value, int) else 0


def _unbalanced(layout: Layout, balance: Balance, row: tuple[Value, ...], places: Mapping[str, int]) -> str:
    def term(name: str) -> str:
        column = layout.columns[places[name]]
        return f"{column.title}{show(column, row[places[name]])}"

    return f"{term(balance.whole)}，不等于{'、'.join(map(term, balance.parts))}之和。"

"""Reports as xlsx: face on top, frozen header, exact amounts, ids as text, totals, a sheet of differences.

Nothing in it depends on the clock: the same report gives the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from math import ceil
from typing import Any, BinaryIO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from reconciliation.document import (
    CHARTED,
    Column,
    Difference,
    Report,
    Section,
    Value,
    chart_title,
    show,
    shown_columns,
)
from voucher.files import workbook

MAX_ROWS = 1_048_576
"""Rows of a sheet."""
_EXACT = 10**15
_FROZEN_WIDTH = 52
_FACE_WIDTH = 100
_FONT = "宋体"
_MANY = 20_000
"""A report of more rows is written row by row, without keeping them."""
_ROW, _TITLE, _HEAD = 14.0, 26.0, 30.0
"""Heights in points: a row, the title, the header row."""
_PAGE = (806.0, 530.0)
"""What a printed page holds inside its margins: width and height in points."""
_CHARACTER = 6.6
"""The widest that a character of a column's width comes out where the usual fonts are missing, in points."""
_SQUEEZED = 0.12
"""The share of a page that rather makes all rows a little smaller than stands on a page of its own."""
_NUMBERS = {"money": "#,##0.00_ ", "count": "#,##0", "percent": "0.00%", "day": "yyyy-mm-dd", "text": "@", "id": "@"}
_NUMBERS |= {"capitals": "@", "reasons": "@", "figure": "@"}
_SHAPES: dict[str, dict[str, Any]] = {
    "text": {"shrink": True}, "id": {"indent": 1}, "capitals": {"shrink": True}, "reasons": {"text_wrap": True},
    "figure": {"align": "right"},
}  # fmt: skip
_INK = ("#2F5597", "#C55A11", "#7F7F7F", "#548235")
_STACK = ("#2F5597", "#D9D9D9")
"""Colours of a chart's series, as on paper: side by side, and of a whole that is divided into used and left."""
_SPARE = 9.14
"""Characters in a column whose width nobody set."""
_DIFFERENCES = (("核对项目", 32), ("封存号", 9), ("对象", 44), ("说明", 90))


@dataclass(frozen=True, slots=True)
class _Book:
    """A workbook being written, and its formats by what they are for."""

    book: xlsxwriter.Workbook
    formats: dict[str, Format]


def write(report: Report, target: BinaryIO, max_rows: int = MAX_ROWS) -> None:
    """Write a report as xlsx. max_rows: of one sheet; a longer section goes on on further sheets.

    Asserts that as many rows were written as the report has.
    """
    options = {
        "constant_memory": report.rows > _MANY, "strings_to_numbers": False, "strings_to_formulas": False,
        "strings_to_urls": False,
    }  # fmt: skip
    with workbook(target, options) as book:
        book.set_properties(
            {"title": report.layout.title, "created": report.sealed_at.astimezone(UTC).replace(tzinfo=None)}
        )
        page = _Book(book, _formats(book))
        written = sum(_write_section(page, report, section, max_rows) for section in report.sections)
        _write_charts(page, report)
        assert written == report.rows, f"{written} of {report.rows} rows written"
        _write_differences(page, report)


def _formats(book: xlsxwriter.Workbook) -> dict[str, Format]:
    """Make the formats: one per column type, for rows and for totals, and those of the face."""
    base: dict[str, Any] = {"font_name": _FONT, "font_size": 10, "valign": "vcenter"}
    made = {
        "title": book.add_format({**base, "bold": True, "font_size": 16}),
        "label": book.add_format({**base, "bold": True, "font_color": "#404040"}),
        "face": book.add_format({**base, "font_color": "#404040"}),
        "head": book.add_format(
            {**base, "bold": True, "bg_color": "#D9E2F3", "border": 1, "text_wrap": True, "align": "center"}
        ),
        "wrap": book.add_format({**base, "text_wrap": True, "border": 1, "num_format": "@"}),
        "agreed": book.add_format({**base, "bold": True, "font_color": "#006100", "font_size": 12}),
        "wrong": book.add_format({**base, "bold": True, "font_color": "#9C0006"}),
    }
    for type_, number in _NUMBERS.items():
        shape = {**base, **_SHAPES.get(type_, {}), "num_format": number, "border": 1, "border_color": "#BFBFBF"}
        made[type_] = book.add_format(shape)
        made[f"total {type_}"] = book.add_format(
            {**shape, "bold": True, "bg_color": "#F2F2F2", "top": 2, "border_color": "#7F7F7F"}
        )
    return made


def _write_section(page: _Book, report: Report, section: Section, max_rows: int) -> int:
    """Write one section on as many sheets as it needs. Returns the number of rows written."""
    places = shown_columns(report, section)
    columns = [report.layout.columns[place] for place in places]
    head = len(_face_lines(report)) + 1
    room = max_rows - head - 3 - len(report.notes)
    assert room > 0
    parts = [section.rows[start : start + room] for start in range(0, len(section.rows), room)] or [[]]
    written = 0
    for number, rows in enumerate(parts, start=1):
        sheet = _sheet(page, report, section.title if len(parts) == 1 else f"{section.title}{number}", columns)
        line, high = head + 1, 0
        for row in rows:
            high += _write_row(page, sheet, line, columns, [row[place] for place in places], "")
            line += 1
        written += len(rows)
        if not section.rows:
            sheet.write_string(line, 0, "本期没有内容。", page.formats["face"])
            line += 1
        if number == len(parts):
            line = _write_foot(page, sheet, line, report, places)
        width = sum(column.width for column in columns)
        spare = max(0, ceil((_FACE_WIDTH - width) / _SPARE))  # the face is printed whole beside a narrow table
        sheet.print_area(0, 0, line - 1, len(places) - 1 + spare)
        sheet.fit_to_pages(1, _pages(max(width, _FACE_WIDTH) + len(places), line + high))
    return written


def _pages(width: float, lines: int) -> int:
    """Tell on how many pages a sheet is printed: totals and notes do not spill onto one that holds nothing else."""
    height = _PAGE[1] * max(1.0, _CHARACTER * width / _PAGE[0])
    rest = _TITLE + _HEAD + _ROW * (lines - 2) - height
    return 1 + max(0, ceil(rest / (height - _HEAD) - _SQUEEZED))


def _write_charts(page: _Book, report: Report) -> None:
    """Draw the report's charts on a sheet of their own, of the rows of the first sheet; no rows, no chart."""
    rows = min(len(report.sections[0].rows), CHARTED)
    if not report.layout.charts or not rows:
        return
    first, sheet = page.book.worksheets()[0].get_name(), page.book.add_worksheet("图")
    places = {column.name: place for place, column in enumerate(report.layout.columns)}
    begin = len(_face_lines(report)) + 2
    for number, drawn in enumerate(report.layout.charts):
        stacked = drawn.type == "stack"
        lying = stacked or drawn.type == "bar"
        chart = page.book.add_chart({"type": "bar", "subtype": "stacked"} if stacked else {"type": drawn.type})
        series = list(enumerate(drawn.values))
        for at, value in reversed(series) if drawn.type == "line" else series:  # the first line lies on top
            colour = {"color": (_STACK if stacked else _INK)[at]}
            drawing = {"line": {"line": colour}, "pie": {}}.get(drawn.type, {"fill": colour, "gap": 40})
            chart.add_series(
                {
                    "name": report.layout.columns[places[value]].title,
                    "categories": [first, begin, places[drawn.category], begin + rows - 1, places[drawn.category]],
                    "values": [first, begin, places[value], begin + rows - 1, places[value]],
                    "data_labels": {"percentage": True} if drawn.type == "pie" else {},
                    **drawing,
                }
            )
        title = chart_title(report, drawn, rows)
        chart.set_title({"name": f"{title} {report.period}", "name_font": {"name": _FONT, "size": 14}})
        chart.set_size({"width": 960, "height": max(420, 26 * rows) if lying else 480})
        money = any(report.layout.columns[places[value]].type == "money" for value in drawn.values)
        scale = {"num_format": "#,##0", **({"name": "元"} if money else {})}
        if lying:
            chart.set_x_axis(scale)
            chart.set_y_axis({"reverse": True})
        elif drawn.type != "pie":
            chart.set_y_axis(scale)
        chart.set_legend({"position": "bottom"} if len(drawn.values) > 1 or drawn.type == "pie" else {"none": True})
        sheet.insert_chart(number * 30, 0, chart)
    _print_setup(sheet, report)


def _write_foot(page: _Book, sheet: Worksheet, line: int, report: Report, places: Sequence[int]) -> int:
    """Write the totals row and the notes; return the line after them."""
    if report.totals is not None:
        columns = [report.layout.columns[place] for place in places]
        _write_row(page, sheet, line, columns, [report.totals[place] for place in places], "total ")
        sheet.write_string(line, 0, "合计", page.formats["total text"])
        line += 1
    for number, note in enumerate(report.notes, start=1):
        sheet.write_string(line, 0, f"注{number}：{note}", page.formats["face"])
        line += 1
    return line


def _sheet(page: _Book, report: Report, name: str, columns: Sequence[Column]) -> Worksheet:
    """Begin a sheet: title, face, header row, widths, and how it is printed."""
    sheet = page.book.add_worksheet(name)
    sheet.set_default_row(_ROW)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
    head = _write_face(page, sheet, report, "" if name == report.layout.title else f"（{name}）")
    sheet.set_row(head, _HEAD)
    for place, column in enumerate(columns):
        sheet.write_string(head, place, _broken(column), page.formats["head"])
    sheet.freeze_panes(head + 1, _frozen(columns))
    sheet.repeat_rows(head)
    _print_setup(sheet, report)
    return sheet


def _broken(column: Column) -> str:
    """Break a title that is wider than its column into two lines of equal length."""
    half = (len(column.title) + 1) // 2
    wide = 2 * len(column.title) + 1 > column.width
    return f"{column.title[:half]}\n{column.title[half:]}" if wide else column.title


def _frozen(columns: Sequence[Column]) -> int:
    """Count the leading columns of names that stay in view, as long as they leave room for figures."""
    count = width = 0
    for column in columns:
        width += column.width
        if column.type != "text" or width > _FROZEN_WIDTH:
            break
        count += 1
    return count


def _face_lines(report: Report) -> list[str]:
    """Lay the face out in lines no wider than the table: short statements together, wide ones each by itself."""
    room = max(_FACE_WIDTH, sum(column.width for column in report.layout.columns))
    lines = [""]
    for fact in report.face:
        words = f"{fact.label}：{fact.text}"
        if fact.wide or _width(lines[-1] + words) + 4 > room:
            lines.append("")
        lines[-1] += ("　　" if lines[-1] else "") + words
        if fact.wide:
            lines.append("")
    return [part for line in lines if line for part in _folded(line, room)]


def _width(text: str) -> int:
    """Count the characters of a line; a Chinese one takes two."""
    return sum(2 if ord(char) > 0x2E80 else 1 for char in text)


def _folded(line: str, room: int) -> list[str]:
    """Break a line of the face that is too wide, at its last pause where that leaves its digests whole."""
    for pause in "　，":
        before, _, last = line.rpartition(pause)
        if _width(line) > room >= max(_width(before) + 2, _width(last)) and before:
            return [before + pause.strip("　"), last]
    return _broken_at(line, room)


def _broken_at(line: str, room: int) -> list[str]:
    """Break a line that is wider than the table."""
    parts, width = [""], 0
    for char in line:
        width += _width(char)
        if width > room:
            parts.append("")
            width = _width(char)
        parts[-1] += char
    return parts


def _write_face(page: _Book, sheet: Worksheet, report: Report, part: str) -> int:
    """Write the title, with which part of the report the sheet is, and the face; return the line below them."""
    sheet.set_row(0, _TITLE)
    sheet.write_string(0, 0, f"{report.layout.title}　{report.period}{part}", page.formats["title"])
    lines = _face_lines(report)
    for line, words in enumerate(lines, start=1):
        shape = "wrong" if line == 1 and report.differences else "face"
        sheet.write_string(line, 0, words, page.formats[shape])
    return len(lines) + 1


def _print_setup(sheet: Worksheet, report: Report) -> None:
    """Print on A4 landscape, as wide as the page, header row on each page, digest and page number below."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.25, right=0.25, top=0.4, bottom=0.5)
    sheet.fit_to_pages(1, 0)
    name = f"{report.layout.title} {report.period} 截止第{report.cutoff}号"
    sheet.set_footer(f"&L&8{name}　链摘要 SHA-256 {report.digest}&R&8第 &P 页，共 &N 页")


def _write_row(
    page: _Book, sheet: Worksheet, line: int, columns: Sequence[Column], row: Sequence[Value], style: str
) -> int:
    """Write a row, as high as its longest reasons need; return the lines that takes beyond one."""
    pairs = [(column, value) for column, value in zip(columns, row, strict=True) if column.type == "reasons" and value]
    more = max((len(_broken_at(show(column, value), column.width)) - 1 for column, value in pairs), default=0)
    if more:
        sheet.set_row(line, _ROW * (1 + more))
    for at, (column, value) in enumerate(zip(columns, row, strict=True)):
        _write_cell(sheet, line, at, column, value, page.formats[style + column.type])
    return more


def _write_cell(sheet: Worksheet, line: int, at: int, column: Column, value: Value, shape: Format) -> None:
    """Write one value; a number only where a spreadsheet holds it exactly, everything else as text."""
    if value is None:
        sheet.write_blank(line, at, None, shape)
    elif column.type in ("money", "percent") and isinstance(value, int) and abs(value) < _EXACT:
        # a Decimal is written digit by digit; a float would be written with 16 digits, not all of them right
        exact = Decimal(value).scaleb(-2 if column.type == "money" else -4)
        sheet.write_number(line, at, exact, shape)
    elif column.type == "count" and isinstance(value, int) and abs(value) < _EXACT:
        sheet.write_number(line, at, value, shape)
    elif isinstance(value, date):
        sheet.write_datetime(line, at, value, shape)
    else:
        sheet.write_string(line, at, show(column, value), shape)


def _write_differences(page: _Book, report: Report) -> None:
    """Write the sheet of differences; it says in one line when there is none."""
    sheet = page.book.add_worksheet("差异")
    for place, (_, width) in enumerate(_DIFFERENCES):
        sheet.set_column(place, place, width)
    line = _write_face(page, sheet, report, "（差异）") + 1
    if not report.differences:
        sheet.write_string(line, 0, report.agreed, page.formats["agreed"])
    else:
        for place, (title, _) in enumerate(_DIFFERENCES):
            sheet.write_string(line, place, title, page.formats["head"])
        for at, cells in enumerate(map(_difference, report.differences), start=line + 1):
            for place, cell in enumerate(cells):
                sheet.write_string(at, place, cell, page.formats["wrap"])
        sheet.freeze_panes(line + 1, 0)
        sheet.repeat_rows(line)
    _print_setup(sheet, report)


def _difference(found: Difference) -> tuple[str, ...]:
    return found.title, "" if found.act_no is None else str(found.act_no), found.subject, found.detail

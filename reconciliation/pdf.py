"""Reports as PDF: face, charts, the table over as many pages as it needs, notes and differences."""

from collections.abc import Sequence
from typing import Any, BinaryIO

from reconciliation.document import CHARTED, Chart, Report, Section, Value, chart_title, show, shown_columns, ticks
from reconciliation.typeset import typeset
from voucher.errors import Refused
from voucher.money import format_yuan

MAX_ROWS = 20_000
"""Rows beyond which paper serves nobody."""
_RIGHT = ("money", "count", "percent", "figure")


def write(report: Report, target: BinaryIO) -> None:
    """Write a report as PDF; the same report gives the same bytes.

    Raises Refused (`pdf_too_long`) beyond `MAX_ROWS`, `no_font` where there is no Chinese font.
    """
    if report.rows > MAX_ROWS:
        raise Refused("pdf_too_long", f"本报表有{report.rows}行，PDF 最多{MAX_ROWS}行。请改用 --format xlsx 或 csv。")
    sections = [_section(report, section) for section in report.sections]
    data = {
        "title": f"{report.layout.title}　{report.period}",
        "face": [[fact.label, fact.text] for fact in report.face],
        "charts": [_chart(report, chart) for chart in report.layout.charts] if report.sections[0].rows else [],
        "sections": sections,
        "notes": list(report.notes),
        "differences": [
            [found.title, "" if found.act_no is None else str(found.act_no), found.subject, found.detail]
            for found in report.differences
        ],
        "agreed": report.agreed,
        "footer": f"{report.layout.title} {report.period} 截止第{report.cutoff}号　链摘要 SHA-256 {report.digest}",
    }
    written = sum(len(section["rows"]) for section in sections)
    assert written == report.rows, f"{written} of {report.rows} rows written"
    target.write(typeset("report", data))


def _section(report: Report, section: Section) -> dict[str, Any]:
    """Write one sheet of rows as text, with the widths of its columns."""
    places = shown_columns(report, section)
    columns = [report.layout.columns[place] for place in places]
    totals = report.totals
    return {
        "title": section.title,
        "columns": [
            {"title": column.title, "width": column.width, "right": column.type in _RIGHT} for column in columns
        ],
        "rows": [_cells(report, places, row) for row in section.rows],
        "totals": ["合计", *_cells(report, places, totals)[1:]] if totals else [],
    }


def _cells(report: Report, places: Sequence[int], row: Sequence[Value]) -> list[str]:
    """Write a row for paper: money in groups of three, percent with its sign."""
    cells = []
    for place in places:
        column, value = report.layout.columns[place], row[place]
        if column.type == "money" and isinstance(value, int):
            cells.append(format_yuan(value, grouped=True))
        elif column.type == "percent" and isinstance(value, int):
            cells.append(format_yuan(value) + "%")
        else:
            cells.append(show(column, value))
    return cells


def _chart(report: Report, chart: Chart) -> dict[str, Any]:
    """Write a chart's points: labels, and per series its title, its values and how they are written."""
    columns = {column.name: place for place, column in enumerate(report.layout.columns)}
    rows = report.sections[0].rows[:CHARTED]
    series: list[dict[str, Any]] = []
    for name in chart.values:
        column, place = report.layout.columns[columns[name]], columns[name]
        values = [value if isinstance(value := row[place], int) else None for row in rows]
        shown = [
            "" if value is None else format_yuan(value, grouped=True) if column.type == "money" else str(value)
            for value in values
        ]
        series.append({"title": column.title, "values": values, "shown": shown})
    labels = [show(report.layout.columns[columns[chart.category]], row[columns[chart.category]]) for row in rows]
    most = max((value for each in series for value in each["values"] if value is not None), default=0)
    money = any(report.layout.columns[columns[name]].type == "money" for name in chart.values)
    axis = [(at, format_yuan(at, grouped=True).removesuffix(".00") if money else f"{at:,}") for at in ticks(most)]
    title = chart_title(report, chart, len(rows)) + ("（元）" if money else "")
    return {"type": chart.type, "title": title, "labels": labels, "series": series, "axis": axis}

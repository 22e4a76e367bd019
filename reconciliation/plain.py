"""Reports as csv (for spreadsheets, with BOM) and as JSON (for programs)."""

import csv
import json
from io import TextIOWrapper
from typing import Any, BinaryIO

from reconciliation.document import Column, Report, Section, Value, show, shown_columns

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(report: Report, target: BinaryIO) -> None:
    """Write csv: the table of the first sheet with its totals, then an empty line, the face and the differences.

    Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    text = TextIOWrapper(target, encoding="utf-8-sig", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    columns, first = report.layout.columns, report.sections[0]
    writer.writerow([column.title for column in columns])
    writer.writerows([_cell(c, v) for c, v in zip(columns, row, strict=True)] for row in first.rows)
    if report.totals:
        writer.writerow(_totals(report))
    writer.writerow([])
    writer.writerow(["报表", report.layout.title])
    writer.writerows([fact.label, _harmless(fact.text)] for fact in report.face)
    writer.writerows(["注", _harmless(note)] for note in report.notes)
    writer.writerow([])
    writer.writerow(["差异", *(["封存号", "对象", "说明"] if report.differences else [report.agreed])])
    for found in report.differences:
        writer.writerow([found.title, found.act_no or "", _harmless(found.subject), _harmless(found.detail)])
    text.flush()
    text.detach()


def _totals(report: Report) -> list[str]:
    assert report.totals is not None
    cells = [_cell(c, v) for c, v in zip(report.layout.columns, report.totals, strict=True)]
    return [cells[0] or "合计", *cells[1:]]


def _cell(column: Column, value: Value) -> str:
    return _harmless(show(column, value)) if column.type in ("text", "id") else show(column, value)


def _harmless(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA) else text


def write_json(report: Report, target: BinaryIO) -> None:
    """Write JSON: money as strings of yuan, ids as strings, counts as numbers, days in ISO."""
    document = {
        "report": report.layout.name,
        "title": report.layout.title,
        "period": report.period,
        "cutoff": report.cutoff,
        "face": [{"label": fact.label, "text": fact.text} for fact in report.face],
        "notes": list(report.notes),
        "columns": [{"name": c.key, "title": c.title, "type": c.type} for c in report.layout.columns],
        "rows": _rows(report, report.sections[0]),
        "sheets": {section.title: _rows(report, section) for section in report.sections[1:]},
        "totals": _object(report, range(len(report.layout.columns)), report.totals),
        "differences": [
            {"check": d.title, "act_no": d.act_no, "subject": d.subject, "detail": d.detail} for d in report.differences
        ],
    }
    target.write(json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")


def _rows(report: Report, section: Section) -> list[dict[str, Any] | None]:
    places = shown_columns(report, section)
    return [_object(report, places, row) for row in section.rows]


def _object(report: Report, places: range | list[int], row: tuple[Value, ...] | None) -> dict[str, Any] | None:
    """Write a row as an object by column name."""
    if row is None:
        return None
    columns = report.layout.columns
    return {
        columns[place].key: row[place] if columns[place].type == "count" or row[place] is None
        else show(columns[place], row[place])
        for place in places
    }  # fmt: skip

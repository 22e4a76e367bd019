"""The return file: only the failing rows, as uploaded, with what is wrong; corrected, it goes back in as it is."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from importers.columns import RETURN_COLUMNS
from importers.sheets import UNIT
from voucher.problem import Problem

_MADE = datetime(2026, 1, 1, tzinfo=UTC)
_OUTCOMES = {"conflict": "内容冲突", "rejected": "未受理", "held": "暂存待补"}
_WIDTHS = {
    "发票号码": 24,
    "供方统一社会信用代码": 22,
    "用方统一社会信用代码": 22,
    "供方名称": 26,
    "用方名称": 26,
}


def write(path: Path, header: Sequence[str], failing: Iterable[Mapping[str, Any]], problems: Sequence[Problem]) -> int:
    """Write the failing rows of an upload to an xlsx; return how many.

    header: as uploaded. failing: rows with row_no, outcome and cells (joined by UNIT). problems: of the upload.
    The same rows give the same bytes.
    """
    by_row: dict[tuple[str, int], list[Problem]] = defaultdict(list)
    for problem in problems:
        if problem.row is not None:
            by_row[problem.sheet, problem.row].append(problem)
    keep = [place for place, name in enumerate(header) if name not in RETURN_COLUMNS]
    names = [*(header[place] for place in keep), *RETURN_COLUMNS]
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": _MADE})
    sheet = book.add_worksheet("需改正的行")
    _dress(book, sheet, names)
    text = book.add_format({"num_format": "@", "valign": "top"})
    wrapped = book.add_format({"num_format": "@", "valign": "top", "text_wrap": True, "font_color": "#9C0006"})
    count = 0
    for count, row in enumerate(failing, 1):
        cells = row["cells"].split(UNIT)
        cells += [""] * (len(header) - len(cells))
        found = by_row[row["sheet"], row["row_no"]]
        codes = "、".join(dict.fromkeys(problem.code for problem in found)) or row["outcome"]
        words = "\n".join(problem.message for problem in found) or _OUTCOMES[row["outcome"]]
        for place, cell in enumerate([*(cells[place] for place in keep), str(row["row_no"]), codes]):
            sheet.write_string(count, place, cell, text)
        sheet.write_string(count, len(names) - 1, words, wrapped)
    book.close()
    return count


def _dress(book: Any, sheet: Any, names: Sequence[str]) -> None:
    """Write the header row, set widths and freeze it."""
    plain = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "valign": "vcenter"})
    added = book.add_format({"bold": True, "bg_color": "#FCE4D6", "border": 1, "valign": "vcenter"})
    for place, name in enumerate(names):
        extra = name in RETURN_COLUMNS
        width = 70 if name == RETURN_COLUMNS[-1] else 24 if name == RETURN_COLUMNS[1] else _WIDTHS.get(name, 14)
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, name, added if extra else plain)
    sheet.freeze_panes(1, 0)

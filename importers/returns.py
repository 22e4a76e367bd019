"""The return file: only the failing rows, as uploaded, with what is wrong; corrected, it goes back in as it is."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from importers.columns import RETURN_COLUMNS
from importers.sheets import UNIT
from voucher.files import workbook, written
from voucher.problem import Problem

ROWS_PER_SHEET = 1_000_000
Rows = Sequence[Mapping[str, Any]]
_MADE = datetime(2026, 1, 1, tzinfo=UTC)
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_OUTCOMES = {"conflict": "内容冲突", "rejected": "未受理", "held": "暂存待补"}
_WIDTHS = {"发票号码": 24, "原发票号码": 24, "供方统一社会信用代码": 22, "用方统一社会信用代码": 22, "供方名称": 26,
           "用方名称": 26, "税收分类编码": 22, "项目名称": 28, "错误代码": 24, "错误说明": 70}  # fmt: skip


def write(path: Path, header: Sequence[str], failing: Rows, problems: Iterable[Problem]) -> int:
    """Write the failing rows of an upload to an xlsx; return how many.

    header: as uploaded. failing: rows with sheet, row_no, invoice_number, outcome and cells (joined by UNIT), in the
    order wanted. problems: of the upload; a row of which none speaks has those of its invoice. All cells are text and
    stay text when corrected. The same rows give the same bytes. Raises Refused when there is no writing there.
    """
    by_row: dict[tuple[str, int], list[Problem]] = defaultdict(list)
    by_invoice: dict[tuple[str, str], list[Problem]] = defaultdict(list)
    for problem in problems:
        if problem.row is not None:
            by_row[problem.sheet, problem.row].append(problem)
            if problem.invoice_number:
                by_invoice[problem.sheet, problem.invoice_number].append(problem)
    keep = [place for place, name in enumerate(header) if name not in RETURN_COLUMNS]
    names = [*(header[place] for place in keep), *RETURN_COLUMNS]

    def told(row: Mapping[str, Any]) -> tuple[list[str], set[str]]:
        found = by_row.get((row["sheet"], row["row_no"])) or by_invoice[row["sheet"], row["invoice_number"]]
        return _texts(row, keep, found), {problem.column for problem in found if problem.row == row["row_no"]}

    rows = map(told, failing)
    count = number = 0
    with written(path) as file, workbook(file, _OPTIONS) as book:
        book.set_properties({"created": _MADE})
        while number == 0 or count == number * ROWS_PER_SHEET:
            number += 1
            count += _write_sheet(
                book, f"需改正的行{number if number > 1 else ''}", names, islice(rows, ROWS_PER_SHEET)
            )
    return count


def write_all(
    path: Path, parts: Iterable[tuple[str, Sequence[str], Rows, Sequence[Problem]]]
) -> list[tuple[Path, int]]:
    """Write the failing rows of many files: one xlsx per header, the second as `name-2.xlsx` and so on.

    parts: name of the file, which others may share, its header, failing rows and problems. Returns what was written,
    and how many rows.
    """
    together: dict[tuple[str, ...], tuple[list[Mapping[str, Any]], list[Problem]]] = {}
    for place, (name, header, failing, problems) in enumerate(parts):
        if failing:
            rows, found = together.setdefault(tuple(header), ([], []))
            rows += [{**row, "sheet": (place, row["sheet"]), "origin": name} for row in failing]
            found += [replace(problem, sheet=(place, problem.sheet)) for problem in problems]  # type: ignore[arg-type]
    made = []
    for number, (header, (rows, found)) in enumerate(together.items(), 1):
        target = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        made.append((target, write(target, header, rows, found)))
    return made


def _texts(row: Mapping[str, Any], keep: Sequence[int], found: Sequence[Problem]) -> list[str]:
    """Return the cells of one failing row: as uploaded, its number, the codes, the sentences."""
    cells = row["cells"].split(UNIT)
    cells += [""] * (max(keep, default=-1) + 1 - len(cells))
    codes = "、".join(dict.fromkeys(problem.code for problem in found)) or row["outcome"]
    words = "\n".join(dict.fromkeys(problem.message for problem in found)) or _OUTCOMES.get(row["outcome"], "")
    origin = f"{row['origin']} 第{row['row_no']}行" if "origin" in row else str(row["row_no"])
    return [*(cells[place] for place in keep), origin, codes, words]


def _write_sheet(
    book: Any, title: str, names: Sequence[str], rows: Iterable[tuple[Sequence[str], AbstractSet[str]]]
) -> int:
    """Write one sheet with a frozen header row; return the number of rows below it.

    rows: the cells, and the names of the columns whose cells are wrong, which are coloured.
    """
    sheet = book.add_worksheet(title)
    head = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "valign": "vcenter"})
    added = book.add_format({"bold": True, "bg_color": "#FCE4D6", "border": 1, "valign": "vcenter"})
    text = book.add_format({"num_format": "@", "valign": "top"})
    wrapped = book.add_format({"num_format": "@", "valign": "top", "text_wrap": True, "font_color": "#9C0006"})
    wrong = book.add_format({"num_format": "@", "valign": "top", "bg_color": "#F8CBAD"})
    last = len(names) - 1
    for place, name in enumerate(names):
        sheet.set_column(place, place, _WIDTHS.get(name, 14), wrapped if place == last else text)
        sheet.write_string(0, place, name, added if name in RETURN_COLUMNS else head)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.25, right=0.25, top=0.4, bottom=0.5)
    sheet.fit_to_pages(1 + len(names) // 12, 0)  # legible on paper; the number goes along on each page
    sheet.repeat_rows(0)
    if "发票号码" in names:
        sheet.repeat_columns(names.index("发票号码"), names.index("发票号码"))
    sheet.set_footer("&L&8改正后原样上传即可，后三列会被忽略&R&8第 &P 页，共 &N 页")
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    count = 0
    for count, (row, faulty) in enumerate(rows, 1):
        lines = sum(1 + 2 * len(words) // _WIDTHS[names[last]] for words in row[last].split("\n"))
        sheet.set_row(count, 15 * min(lines, 20))  # not every program makes a row as high as its words
        for place, cell in enumerate(row):
            shape = wrapped if place == last else wrong if names[place] in faulty else text
            sheet.write_string(count, place, cell, shape)
    return count

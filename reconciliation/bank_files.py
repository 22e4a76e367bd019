"""Read a bank's result file or statement into plain rows by the profile whose columns it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from importers import cells, guard
from importers.cells import Cell
from importers.columns import HEADER_WITHIN, header_name
from importers.messages import make
from importers.sheets import rows as sheet_rows
from importers.text import clean
from reconciliation.bank_profile import Profile, candidates
from voucher.problem import Problem

Values = dict[str, Any]
_DASHES = {"-", "--", "—", "——", "–", "－", "/"}
"""What banks write where there is no amount."""
_MONEY = {"amount", "paid_out", "paid_in"}
_REFERENCES = {"bank_reference", "serial"}
UNKNOWN = (
    "认不出这是哪家银行的文件，已知的格式要有这些列：{}。"
    "请为这家银行写一个格式文件（照随附的 generic.toml），用 --profile 指定。"
)
"""What is said of a file that no profile fits."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a bank's file says. profile: None when no profile fits. rows: money in fen; sound: the row has no problem.

    row_no: counts on from sheet to sheet, so that no two rows have one; at, sheet: where people find the row.
    """

    profile: Profile | None
    rows: Sequence[Values]
    problems: Sequence[Problem]


def read(path: Path, section: str, asked: str | None) -> Read:
    """Read a csv or xlsx file of a section (result or statement). Never raises for what is in the file."""
    kind = guard.kind_by_content(path)
    problems = list(guard.check_size(path)) or list(guard.check_file(path))
    if not problems and kind not in ("csv", "xlsx"):
        problems = [make("not_a_spreadsheet")]
    if problems:
        return Read(None, [], problems)
    profiles = candidates(asked, section)
    chosen: Profile | None = None
    places: Mapping[str, int] = {}
    found: list[Values] = []
    page, before, last = "", 0, 0
    for entry in sheet_rows(path, "csv" if kind == "csv" else "xlsx"):
        if isinstance(entry, Problem):
            return Read(chosen, found, [*problems, entry])
        sheet, row_no, row = entry
        if sheet != page:
            page, before = sheet, last
        last = before + row_no
        if chosen is None:
            if row_no <= HEADER_WITHIN:
                chosen, places = _identify(profiles, section, row)
            elif not sheet:
                break
            continue
        if _is_header(chosen.columns(section), places, row):  # each page or sheet may begin with it
            continue
        values, wrong = _row(chosen.columns(section), places, row_no, row, sheet)
        values["row_no"] = last
        if _is_note(values, wrong):
            continue
        found.append(values)
        problems += wrong
    if chosen is None:
        every = "；".join("、".join(profile.columns(section).values()) for profile in profiles)
        return Read(None, [], [Problem("missing_columns", "blocking", UNKNOWN.format(every), value=every)])
    return Read(chosen, found, problems if found or problems else [make("no_rows")])


def _identify(
    profiles: Sequence[Profile], section: str, row: Sequence[Cell]
) -> tuple[Profile | None, Mapping[str, int]]:
    """Find the profile all of whose columns a row names; of several the one with most columns."""
    names = [header_name(cell).strip("[]") for cell in row]
    fitting = [profile for profile in profiles if all(header in names for header in profile.columns(section).values())]
    if not fitting:
        return None, {}
    best = max(fitting, key=lambda profile: len(profile.columns(section)))
    return best, {key: names.index(header) for key, header in best.columns(section).items()}


def _is_header(columns: Mapping[str, str], places: Mapping[str, int], row: Sequence[Cell]) -> bool:
    """Tell whether a row is the header again; a first look at one cell spares the others."""
    return all(
        place < len(row) and header_name(row[place]).strip("[]") == columns[key] for key, place in places.items()
    )


def _is_note(values: Values, wrong: Sequence[Problem]) -> bool:
    """Tell whether a row is words below the table: it has no day that can be read, and no amount at all."""
    amounts = [values[key] for key in _MONEY if key in values]
    blank = "day" in values and values["day"] is None and set(amounts) == {None}
    return blank and "reference" not in values and {problem.code for problem in wrong} <= {"bad_day"}


def _row(
    columns: Mapping[str, str], places: Mapping[str, int], row_no: int, row: Sequence[Cell], sheet: str
) -> tuple[Values, list[Problem]]:
    """Read one row: money as fen, days as ISO and the time behind them, everything else as text."""
    values: Values = {"at": row_no, "sheet": sheet}
    problems = []
    for key, place in places.items():
        cell: Cell = row[place] if place < len(row) else ""
        if key in _MONEY:
            value, code = cells.read_money("" if cells.show(cell).strip() in _DASHES else cell)
        elif key == "day":
            value, code = cells.read_day(cell)
            values["time"] = cells.time_of(cell)
        elif key in _REFERENCES and not isinstance(cell, str):
            value, code = None, "number_lost"
        else:
            value, code = clean(cells.show(cell)).strip("\t '") or None, None
        if code is not None:
            shown = cells.show(cell)
            problems.append(make(code, row=row_no, column=columns[key], value=shown, sheet=sheet))
        values[key] = value
    return values | {"sound": not problems}, problems

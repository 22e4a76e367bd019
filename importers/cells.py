"""Read one cell as one typed value: each function gives (value or None, problem code or None)."""

import re
from collections.abc import Callable
from decimal import Decimal

from importers.text import clean, clean_id, has_control
from voucher.days import parse_day
from voucher.money import parse_yuan
from voucher.uscc import check

Cell = str | float
"""A csv cell is text; a numeric cell of a workbook stays a float, so that a lost number can be told from a text."""
Value = str | int | None
Reading = tuple[Value, str | None]
Reader = Callable[[Cell], Reading]

NUMERIC = "{:.15G}"
"""How Excel shows a number."""
TEXT_LIMIT = 1000
REFERENCE_LIMIT = 200
"""A reference is a key in the database; PostgreSQL's index entries end at 2704 bytes."""
_NUMBER = re.compile(r"\d{20}\Z|\d{10}-\d{8}\Z|\d{12}-\d{8}\Z", re.ASCII)
_RUN_TOGETHER = re.compile(r"0[1-6]\d{18}\Z", re.ASCII)
"""Code and number of a legacy invoice without the minus: its code begins so, and no 数电票 is older than 2021."""
_CURRENCY = re.compile(r"(-?)\s*(?:[¥￥]\s*)?(-?\d.*?)\s*元?\Z", re.DOTALL)
_MORE_ZEROS = re.compile(r"(\.\d\d)0+\Z", re.ASCII)
_SCIENTIFIC = re.compile(r"-?\d+(\.\d*)?[eE]\+?\d+\Z", re.ASCII)
_TAX_CODE = re.compile(r"\d{19}\Z", re.ASCII)
_TIME = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?\Z", re.ASCII)
_AMOUNT = re.compile(r"-?(\d{1,3}(,\d{3})+|\d+)(\.\d{1,2})?\Z", re.ASCII)
_QUANTITY = re.compile(r"(-?)(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.(\d{1,10}))?\Z", re.ASCII)
_RATE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s*(%?)\Z", re.ASCII)
NO_RATE = frozenset({"免税", "不征税", "***", "*", "-"})
_ZERO_RATE = frozenset({"零税率", "出口零税率", "普通零税率"})


MERGED, NO_RESULT = "#合并单元格：", "#公式无结果："
"""How the cells begin that a workbook has merged with the row above, and those whose formula has no result."""
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})


def flaw(cell: Cell) -> str | None:
    """Return the problem code of a cell that no column can take: what Excel could not reckon, what has no own row."""
    if not isinstance(cell, str) or cell[:1] != "#":
        return None
    if cell.startswith(MERGED):
        return "merged_cells"
    return "formula_error" if cell.startswith(NO_RESULT) or clean(cell) in _ERRORS else None


def show(cell: Cell) -> str:
    """Write a cell as Excel shows it: a numeric one with at most 15 significant digits."""
    return cell if isinstance(cell, str) else NUMERIC.format(cell)


def read_text(cell: Cell) -> Reading:
    """Read a free text; blanks at the ends and invisible characters are cut."""
    text = clean(show(cell))
    if len(text) > TEXT_LIMIT:
        return None, "text_too_long"
    return text or None, None


def _identifier(cell: Cell) -> tuple[str, str | None]:
    """Clean an identifier; a numeric cell, or what Excel wrote for one, is lost."""
    if not isinstance(cell, str):
        return "", "number_lost"
    text = clean_id(cell)
    return (text, "number_lost") if _SCIENTIFIC.match(text) else (text, None)


def read_invoice_number(cell: Cell) -> Reading:
    """Read 20 digits, or a legacy code-number (10 or 12 digits, minus, 8 digits); one key for each invoice."""
    text, code = _identifier(cell)
    if code or not text:
        return None, code
    if _RUN_TOGETHER.match(text):
        text = f"{text[:12]}-{text[12:]}"
    return (text, None) if _NUMBER.match(text) else (None, "bad_invoice_number")


def read_uscc(cell: Cell) -> Reading:
    """Read a unified social credit code; a wrong organisation digit is a warning beside the value."""
    text, code = _identifier(cell)
    if code or not text:
        return None, code
    text = text.upper()
    verdict = check(text)
    if verdict == "bad":
        return None, "bad_uscc"
    return text, None if verdict == "ok" else "uscc_organisation_digit"


def read_tax_code(cell: Cell) -> Reading:
    """Read a 19-digit tax classification code."""
    text, code = _identifier(cell)
    if code or not text:
        return None, code
    return (text, None) if _TAX_CODE.match(text) else (None, "bad_tax_code")


def read_reference(cell: Cell) -> Reading:
    """Read a reference such as a contract number: no bar and no control character within it."""
    if isinstance(cell, str) and ("|" in cell or has_control(cell)):
        return None, "bad_character"
    text, code = _identifier(cell)
    if code:
        return None, code
    if "|" in text:
        return None, "bad_character"
    if len(text) > REFERENCE_LIMIT:
        return None, "text_too_long"
    return text or None, None


def read_day(cell: Cell) -> Reading:
    """Read a day as ISO text; a time of day behind it is dropped."""
    text = clean_id(show(cell))
    if not text:
        return None, None
    try:
        return parse_day(_TIME.sub("", text)).isoformat(), None
    except ValueError:
        return None, "bad_day"


def time_of(cell: Cell) -> str:
    """Give the time of day behind a day, empty when there is none."""
    found = _TIME.search(clean_id(show(cell)))
    return found[0].strip() if found else ""


def read_money(cell: Cell) -> Reading:
    """Read yuan with at most two decimals as fen; a numeric cell counts as the 15 digits Excel shows.

    A sign of the currency before it, 元 behind it and zeros beyond the second decimal change nothing.
    """
    text = _MORE_ZEROS.sub(r"\1", _CURRENCY.sub(r"\1\2", clean_id(show(cell))))
    if not text:
        return None, None
    try:
        return parse_yuan(text), None
    except ValueError:
        huge = abs(cell) >= 1e11 if not isinstance(cell, str) else _AMOUNT.match(text) is not None
        return None, "amount_too_large" if huge else "bad_amount"


def read_number(cell: Cell) -> Reading:
    """Read a quantity as canonical decimal text, up to 15 digits before and 10 after the point."""
    if isinstance(cell, str):
        text = clean_id(cell)
    else:
        text = show(cell)
        text = f"{Decimal(text):f}" if "E" in text and abs(cell) < 1e15 else text
    if not text:
        return None, None
    match = _QUANTITY.match(text)
    if match is None:
        return None, "bad_number"
    sign, whole, decimals = match.groups()
    whole = whole.replace(",", "").lstrip("0") or "0"
    decimals = (decimals or "").rstrip("0")
    amount = f"{whole}.{decimals}" if decimals else whole
    return (sign + amount if amount != "0" else amount), None


def read_rate(cell: Cell) -> Reading:
    """Read a tax rate as basis points: 6%, 0.06, 6, 免税. What cannot be read is a warning.

    A figure without a percent sign is a fraction below one and a percentage from one on. 免税 and 不征税 have none.
    """
    text = clean_id(show(cell))
    if not text or text in NO_RATE:
        return None, None
    if text in _ZERO_RATE:
        return 0, None
    match = _RATE.match(text)
    if match is None:
        return None, "bad_rate"
    figure = Decimal(match[1])
    points = figure * (100 if match[2] or figure >= 1 else 10_000)
    return (int(points), None) if points == int(points) and points <= 10_000 else (None, "bad_rate")

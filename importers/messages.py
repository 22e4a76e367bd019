"""Make a problem of a code: its sentence says what is wrong and what the uploader does next."""

from importers.catalogue import CATALOGUE
from voucher.problem import Problem

SHOWN = 60
"""Characters of a cell that a sentence quotes; `Problem.value` keeps up to `KEPT`. Column names come whole."""
KEPT = 200


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def make(
    code: str,
    *,
    row: int | None = None,
    column: str = "",
    value: str = "",
    invoice_number: str = "",
    sheet: str = "",
    **extra: object,
) -> Problem:
    """Make the problem of a code with its Chinese sentence.

    extra: what the sentence names besides row, column, value and invoice_number. Raises KeyError for an unknown code.
    """
    entry = CATALOGUE[code]
    whole = entry.severity == "blocking" or len(value) <= SHOWN
    shown = " ".join((value if whole else value[:SHOWN] + "…").split())
    words = _Blank(
        row="" if row is None else str(row),
        column=column,
        value=shown,
        invoice_number=invoice_number,
        sheet=sheet,
    )
    words.update((key, str(item)) for key, item in extra.items())
    message = f"{entry.wrong}，{entry.advice}。".format_map(words).replace("（）", "").replace("：，", "，")
    return Problem(
        code=code,
        severity=entry.severity,
        message=message,
        row=row,
        column=column,
        value=value[:KEPT],
        invoice_number=invoice_number,
        sheet=sheet,
    )

"""What the uploader can mend: one value per fault, all of them collected, never an exception."""

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["blocking", "error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of an uploaded file.

    code: stable identifier. severity: blocking (the whole file), error (the row and its invoice), warning.
    row: as Excel counts, None for the file. column: header text, empty for the row. value: as uploaded.
    message: one Chinese sentence that says what to do. invoice_number: when known.
    """

    code: str
    severity: Severity
    message: str
    row: int | None = None
    column: str = ""
    value: str = ""
    invoice_number: str = ""
    sheet: str = ""


def problem_data(problem: Problem) -> dict[str, Any]:
    """Write a problem as JSON."""
    return {
        "code": problem.code, "severity": problem.severity, "row": problem.row, "column": problem.column,
        "value": problem.value, "message": problem.message, "invoice_number": problem.invoice_number,
        "sheet": problem.sheet,
    }  # fmt: skip

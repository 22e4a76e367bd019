"""How a file ended: counts of rows, problems, and which rows need a look; for every door the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from importers.sheets import UNIT
from voucher.database import query
from voucher.problem import Problem, problem_data

WORDS = {"accepted": "受理", "duplicate": "重复", "conflict": "冲突", "rejected": "退回", "held": "待核"}
"""Outcome of a row to what it is called on screen."""
OUTCOMES = tuple(WORDS)
INVOICE_KINDS = {"blue": "蓝字", "red": "红字"}
"""Kind of an invoice to what it is called on screen."""


UNREAD = frozenset({"other_sheet_ignored", "export_lines_missing"})
"""Problems that tell of invoices of a file which are among no rows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a file ended. upload_id: None when it was blocked or rehearsed. counts: rows per outcome.

    invoices: only when asked for, since a large file has many. failing: rows that need a look, with the
    header as uploaded, for the return file. fresh: False when the same file was answered before.
    """

    upload_id: int | None
    sha256: str
    format: str
    rows: int
    counts: Mapping[str, int]
    invoices: Sequence[Mapping[str, Any]]
    problems: Sequence[Problem]
    failing: Sequence[Mapping[str, Any]] = ()
    header: Sequence[str] = ()
    fresh: bool = True

    @property
    def exit_status(self) -> int:
        """0: all rows accepted or known. 3: some need a look, or were not read. 1: the file is blocked."""
        if any(problem.severity == "blocking" for problem in self.problems):
            return 1
        unread = any(problem.code in UNREAD for problem in self.problems)
        return 3 if unread or any(self.counts[name] for name in ("conflict", "rejected", "held")) else 0


def blocked(sha256: str, problems: Sequence[Problem], format_name: str = "") -> Outcome:
    """Make the outcome of a file that cannot be taken at all. sha256: empty when it was not even read."""
    counts = dict.fromkeys(OUTCOMES, 0)
    return Outcome(None, sha256, format_name, 0, counts, (), tuple(problems))


def read(db: Connection, upload_ids: Sequence[int], *, fresh: bool = True, listing: bool = False) -> dict[int, Outcome]:
    """Read how uploads ended from their facts."""
    if not upload_ids:
        return {}

    def by_upload(name: str) -> dict[int, list[Mapping[str, Any]]]:
        found: dict[int, list[Mapping[str, Any]]] = {}
        for row in query(db, f"queries/import/{name}.sql", upload_ids=list(upload_ids)):
            rest = {column: value for column, value in row.items() if column != "upload_id"}
            found.setdefault(row["upload_id"], []).append(rest)
        return found

    problems, failing = by_upload("problems"), by_upload("failing_rows")
    invoices = by_upload("invoices") if listing else {}
    return {
        upload_id: Outcome(
            upload_id=upload_id,
            sha256=row["sha256"],
            format=row["format"],
            rows=row["rows"],
            counts={name: row[name] for name in OUTCOMES},
            invoices=invoices.get(upload_id, ()),
            problems=tuple(map(_problem, problems.get(upload_id, ()))),
            failing=failing.get(upload_id, ()),
            header=row["header"].split(UNIT),
            fresh=fresh,
        )
        for upload_id, (row,) in by_upload("upload").items()
    }


def _problem(row: Mapping[str, Any]) -> Problem:
    return Problem(
        code=row["code"],
        severity=row["severity"],
        message=row["message"],
        row=row["row_no"],
        column=row["column_name"],
        value=row["value"],
        invoice_number=row["invoice_number"],
        sheet=row["sheet"],
    )


def as_id(number: int | None) -> str | None:
    """Write a number that names something as JSON has it: a string."""
    return None if number is None else str(number)


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """Write how a file ended as JSON."""
    data: dict[str, Any] = {
        "upload_id": None if outcome.upload_id is None else str(outcome.upload_id),
        "sha256": outcome.sha256, "format": outcome.format, "rows": outcome.rows, **outcome.counts,
        "invoices": [
            {
                "number": row["number"],
                "status": row["status"],
                # A rehearsal gives no acceptance numbers away.
                "accepted_no": None if outcome.upload_id is None else as_id(row["accepted_no"]),
            }
            for row in outcome.invoices
        ],
        "problems": [problem_data(problem) for problem in outcome.problems],
    }  # fmt: skip
    if outcome.exit_status == 1:
        first = next(problem for problem in outcome.problems if problem.severity == "blocking")
        data["error"] = {"code": first.code, "message": first.message}
    return data

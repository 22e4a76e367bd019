"""Take a file of usage: stage its sums, judge them against the books, write what counts and what waits.

The stored fact is the sum per invoice, day and unit, not the line: settlement asks for nothing finer, ten million lines
become some hundred thousand facts, and the lines themselves stay in the document, which is kept by its hash. Every line
is accounted for: it is counted in one sum, or it is a rejected row with its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from psycopg import Copy
from sqlalchemy import Connection

from importers.columns import RETURN_COLUMNS, Header
from importers.messages import make
from importers.parts import UsageChunk
from importers.receive import Received
from importers.sheets import UNIT
from importers.stage import Progress
from importers.usage_format import UsageFormat
from voucher.acts import Overtaken
from voucher.database import driver, expect_many, one, query, run_file
from voucher.problem import Problem

MODES = ("add", "replace")
"""How a file stands to what is known of its invoices: more of the same, or in place of it."""
MOST_DAYS = 3_000_000
"""Sums by invoice, day and unit that one file may give; a few lines of many years and units would give any number."""


@dataclass(slots=True)
class _Staged:
    """What a file held. failed: row number, invoice number and cells of the lines that are in no sum."""

    header: Header | None = None
    rows: int = 0
    failed: list[tuple[int, str, str]] = field(default_factory=list)
    companies: set[tuple[str, str]] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def reference(db: Connection, key: Mapping[str, str], mode: str) -> str:
    """Return the reference of the act that takes a file; that of an earlier one while what it said still counts."""
    words = ":".join(key.values()) + ":"
    row = one(db, "queries/usage/05_time.sql", reference=words, mode=mode)
    assert row is not None
    return f"{words}{row['time']}"


def take(
    db: Connection, act_id: int, received: Received, chosen: UsageFormat, kind: str, *,
    provider: str, received_on: date, today: date, invoice: str, mode: str, progress: Progress,
) -> list[Problem]:  # fmt: skip
    """Write a file of usage within its act; returns its problems, and has written nothing if one is blocking.

    provider: USCC or empty. invoice: of lines that name none. mode: add, replace, or empty where it is plain.
    Raises Overtaken when a later upload was faster with an invoice to come.
    """
    run_file(db, "queries/usage/00_tables.sql")
    staged = _stage(db, chosen, received.path, kind, today, invoice, progress)
    if mode == "replace" and staged.failed:
        staged.problems.append(make("usage_replace_faulty", count=len(staged.failed)))
        return staged.problems  # what was known would go, and with it what the failing lines say
    if not mode and staged.header is not None and {*RETURN_COLUMNS} <= {*staged.header.cells}:
        mode = "return"
    days = one(db, "queries/usage/06_days.sql")
    if days is not None and days["days"] > MOST_DAYS:
        return [*staged.problems, make("usage_too_many_days", limit=MOST_DAYS)]
    expect_many(db)
    for name, table in (("10_lock", "usage_stage"), ("20_used", "used")):
        run_file(db, f"queries/usage/{name}.sql")
        db.exec_driver_sql(f"ANALYZE {table}")
    if query(db, "queries/usage/15_overtaken.sql", upload_id=act_id)[0]["later"]:
        raise Overtaken
    _copy_failed(db, act_id, staged)
    run_file(
        db, "queries/usage/30_told.sql", provider=provider, mode=mode, basis=chosen.basis,
        sha256=received.digests.sha256,
    )  # fmt: skip
    found = query(db, "queries/usage/31_faults.sql")
    staged.problems += [make(each["fault"], value=each["number"], invoice_number=each["number"]) for each in found]
    if any(problem.severity == "blocking" for problem in staged.problems):
        return staged.problems
    _write(db, act_id, received, chosen, staged, provider, received_on, mode)
    return [*staged.problems, *_waiting(db), *notes(db, act_id)]


def _stage(
    db: Connection, chosen: UsageFormat, path: Path, kind: str, today: date, invoice: str, progress: Progress
) -> _Staged:
    """Copy the sums of a file into a temporary table, in bounded memory; stops at a blocking problem."""
    staged = _Staged()
    with driver(db).cursor() as cursor, cursor.copy("COPY usage_stage FROM STDIN") as copy:
        for part in chosen.read(path, kind, today=today, invoice=invoice):
            if isinstance(part, Problem):
                staged.problems.append(part)
                continue
            _copy(copy, part)
            staged.header = part.header
            staged.rows += part.rows
            staged.failed += part.failed
            staged.companies |= part.companies
            staged.problems += part.problems
            progress(staged.rows)
    with driver(db).cursor() as cursor, cursor.copy("COPY usage_company FROM STDIN") as copy:
        for pair in sorted(staged.companies):
            copy.write_row(pair)
    return staged


def _copy(copy: Copy, chunk: UsageChunk) -> None:
    """Copy one chunk's sums."""
    for (number, first, last, unit), (lines, quantity, amount) in chunk.sums.items():
        copy.write_row((number, first, last, unit, lines, quantity, amount))


def _copy_failed(db: Connection, act_id: int, staged: _Staged) -> None:
    """Copy the lines that are in no sum."""
    sheet = staged.header.sheet if staged.header else ""
    columns = "upload_id, sheet, row_no, outcome, invoice_number, cells"
    with driver(db).cursor() as cursor, cursor.copy(f"COPY usage_failed ({columns}) FROM STDIN") as copy:
        for row_no, number, cells in staged.failed:
            copy.write_row((act_id, sheet, row_no, "rejected", number, cells))


def _write(
    db: Connection, act_id: int, received: Received, chosen: UsageFormat, staged: _Staged, provider: str,
    received_on: date, mode: str,
) -> None:  # fmt: skip
    """Write the facts of the file."""
    sha256, sm3 = received.digests.sha256, received.digests.sm3
    run_file(
        db, "queries/import/59_document.sql", act_id=act_id, sha256=sha256, sm3=sm3, size_bytes=received.size_bytes
    )
    run_file(
        db, "queries/usage/60_upload.sql", upload_id=act_id, sha256=sha256, file_name=received.name,
        format=chosen.NAME, provider=provider, received_on=received_on, rows=staged.rows, rejected=len(staged.failed),
        header=UNIT.join(staged.header.cells) if staged.header else "",
    )  # fmt: skip
    run_file(db, "queries/usage/61_failed.sql")
    counts = {"upload_id": act_id, "basis": chosen.basis, "replaces": mode == "replace"}
    run_file(db, "queries/usage/70_metering.sql", **counts)
    run_file(db, "queries/usage/71_days.sql", upload_id=act_id)
    run_file(db, "queries/usage/72_held.sql", **counts)


def take_up(db: Connection) -> dict[int, list[Problem]]:
    """Take up, in the acts that accept invoices, the usage that waited for them; returns the remarks on it by act."""
    said: dict[int, list[Problem]] = {}
    if run_file(db, "queries/import/76_metering.sql"):
        run_file(db, "queries/import/77_usage_days.sql")
        acts = [each["act_id"] for each in query(db, "queries/import/78_taken_up.sql")]
        said = {act_id: notes(db, act_id) for act_id in acts}
    for each in query(db, "queries/import/79_usage_of_red.sql"):
        number = each["number"]
        made = make("usage_waited_for_red", value=number, invoice_number=number, count=each["lines"])
        said.setdefault(each["act_id"], []).append(made)
    return said


def _waiting(db: Connection) -> list[Problem]:
    """Say which invoices are not there yet, and which are another company's than the file says."""
    return [
        make(each["code"], value=each["value"], invoice_number=each["number"], count=each["count"])
        for each in query(db, "queries/usage/80_waiting.sql")
    ]


def notes(db: Connection, act_id: int) -> list[Problem]:
    """Say of the usage that an act took up what does not agree with its invoice."""
    return [
        make(
            each["code"], value=each["number"], invoice_number=each["number"], metered=each["metered"],
            yuan=each["metered"], basis=each["basis"], amount=each["amount"],
        )
        for each in query(db, "queries/usage/81_notes.sql", act_id=act_id)
    ]  # fmt: skip

"""Staged uploads into the books: judge each invoice against the others and what is accepted, and write the facts."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from importers import usage
from importers.messages import make
from importers.stage import Staged
from voucher.acts import canonical
from voucher.database import Row, driver, expect_many, one, plan_anew, query, run_file
from voucher.days import Span
from voucher.problem import Problem

_FEW, _MANY = 200, 5_000
"""Up to so many rows the plans of the last small upload serve; from so many on they are worth the planner's while."""
DOUBTFUL = frozenset({"eiid_differs", "export_totals_differ", "qr_differs"})
"""Codes of documents that a person must look at before anything of them counts."""
UNSURE = DOUBTFUL | {"number_rounded"}
"""Codes of what a person must look at before it is accepted; another document of the number says enough."""


def hand_in(
    db: Connection, uploads: Sequence[Mapping[str, Any]], *, provider: str, service_month: str, received_on: date,
    span: Span | None,
) -> None:  # fmt: skip
    """Say what the uploads of this transaction are. uploads: as 03_context.sql wants them; span: of the month."""
    run_file(
        db,
        "queries/import/03_context.sql",
        uploads=canonical(uploads),
        provider=provider,
        service_month=service_month,
        received_on=received_on,
        service_from=span.start if span else None,
        service_until=span.end if span else None,
    )


def judge(db: Connection, staged: Mapping[int, Staged]) -> Row:
    """Judge every staged invoice; claims the numbers of those that are accepted. staged: by upload.

    Returns what there is among them, as 34_what.sql tells it.
    """
    rows = sum(each.rows for each in staged.values())
    many = rows > _MANY
    if rows > _FEW:
        plan_anew(db)
    if many:
        expect_many(db)
        db.exec_driver_sql("ANALYZE context")
    for name, table in (
        ("10_lock_buckets", ""), ("11_waiting", "stage"), ("12_spans", ""), ("20_several", "several"),
        ("21_entry", "entry"), ("22_own_faults", ""), ("30_judged", "judged"),
    ):  # fmt: skip
        run_file(db, f"queries/import/{name}.sql")
        if table and many:
            db.exec_driver_sql(f"ANALYZE {table}")
    run_file(db, "queries/import/30_unready.sql", doubtful=_named(staged, UNSURE))
    run_file(db, "queries/import/30_waiting_differs.sql")
    run_file(db, "queries/import/30_superseded.sql")
    there = claim(db)
    if there["known"]:
        run_file(db, "queries/import/36_evidence.sql", doubtful=_named(staged, DOUBTFUL))
        run_file(db, "queries/import/41_evidence.sql")
    run_file(db, "queries/import/40_judgements.sql")
    run_file(db, "queries/import/42_not_supported.sql")
    return there


def _named(staged: Mapping[int, Staged], codes: frozenset[str]) -> list[str]:
    """List the numbers of invoices that have a problem of some codes."""
    return sorted({p.invoice_number for each in staged.values() for p in each.problems if p.code in codes})


def claim(db: Connection) -> Row:
    """Claim the numbers that are to be accepted, blues first, and see what became of the red-letters.

    Returns what there is, as 34_what.sql tells it.
    """
    run_file(db, "queries/import/31_claim_numbers.sql", kind="blue")
    run_file(db, "queries/import/32_taken_meanwhile.sql")
    there = _there(db)
    if there["reds"]:
        run_file(db, "queries/import/33_reds.sql")
        run_file(db, "queries/import/31_claim_numbers.sql", kind="red")
        run_file(db, "queries/import/32_taken_meanwhile.sql")
        there = _there(db)
    return there


def _there(db: Connection) -> Row:
    there = one(db, "queries/import/34_what.sql")
    assert there is not None
    return there


def write(db: Connection, staged: Mapping[int, Staged], there: Row) -> None:
    """Write the facts of the uploads. staged: by upload; there: what `judge` returned."""
    if run_file(db, "queries/import/50_providers.sql"):
        run_file(db, "queries/import/51_provider_names.sql")
    run_file(db, "queries/import/58_documents.sql")
    run_file(db, "queries/import/60_upload.sql")
    if there["open"]:
        run_file(db, "queries/import/61_upload_rows.sql")
        run_file(db, "queries/import/62_held_rows.sql")
    run_file(db, "queries/import/70_invoices.sql")
    run_file(db, "queries/import/71_lines.sql")
    if there["known"] or there["waiting"]:
        run_file(db, "queries/import/72_further.sql")
        write_further(db)
    _write_problems(db, staged, there, usage.take_up(db) if there["usage"] else {})


def write_further(db: Connection) -> None:
    """Write the further documents of accepted invoices as evidence."""
    if run_file(db, "queries/import/73_evidence.sql"):
        run_file(db, "queries/import/74_evidence_lines.sql")


def _write_problems(
    db: Connection, staged: Mapping[int, Staged], there: Row, taken_up: Mapping[int, list[Problem]]
) -> None:
    """Write all problems of the uploads: of the cells, of the books, of usage that waited. taken_up: by upload."""
    found: dict[int, list[Problem]] = {
        upload_id: [*each.problems, *taken_up.get(upload_id, ())] for upload_id, each in staged.items()
    }
    for row in query(db, "queries/import/81_found.sql"):
        found[row["upload_id"]].append(
            make(
                row["code"],
                row=row["row_no"],
                column=row["column_name"],
                value=row["value"],
                invoice_number=row["invoice_number"],
                sheet=row["sheet"],
                **{name: word for name, word in row["words"].items() if word is not None},
            )
        )
    for row in query(db, "queries/import/80_unsaid.sql") if there["open"] else ():
        found[row["upload_id"]].append(
            make(
                row["code"],
                row=row["row_no"],
                invoice_number=row["invoice_number"],
                sheet=row["sheet"],
                other_row=row["other_row"],
            )
        )
    put_problems(db, found)


def put_problems(db: Connection, found: Mapping[int, list[Problem]]) -> None:
    """Write all problems of uploads, in the order of their rows. found: by upload."""
    if not any(found.values()):
        return
    columns = "upload_id, problem_no, sheet, row_no, code, severity, column_name, value, message, invoice_number"
    run_file(db, "queries/import/82_problem.sql")
    with driver(db).cursor() as cursor, cursor.copy(f"COPY problem ({columns}) FROM STDIN") as copy:
        for upload_id, problems in found.items():
            problems.sort(key=lambda problem: (problem.row or 0, problem.sheet))
            for number, p in enumerate(problems, 1):
                row_values = (upload_id, number, p.sheet, p.row, p.code, p.severity, p.column, p.value, p.message)
                copy.write_row((*row_values, p.invoice_number))
    run_file(db, "queries/import/83_problems.sql")

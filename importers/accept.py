"""Import one file: receive, stage, check, accept per invoice, and say how each row ended.

Everything is one transaction and one act: a killed import leaves nothing, a dry run is rolled back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from importers import evidence, formats, guard, mapping, usage
from importers.cells import read_invoice_number
from importers.messages import make
from importers.receive import Received, keep, receive
from importers.sheets import UNIT
from importers.stage import Progress, Staged, make_tables, stage
from importers.usage_format import UsageFormat
from voucher import acts, database
from voucher.access import User
from voucher.database import driver, one, query, run_file
from voucher.days import business_day, month_span
from voucher.errors import Misused, Refused
from voucher.problem import Problem, problem_data

_MANY = 5_000
"""Rows from which a file is worth the planner's while."""
WORDS = {"accepted": "受理", "duplicate": "重复", "conflict": "冲突", "rejected": "退回", "held": "待核"}
"""Outcome of a row to what it is called on screen."""
OUTCOMES = tuple(WORDS)
INVOICE_KINDS = {"blue": "蓝字", "red": "红字"}
"""Kind of an invoice to what it is called on screen."""
Look = Callable[[Connection, int], None]
"""Sees the books within the transaction of an import, also of one that is rolled back; given the upload's id."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a file was handed in. provider: USCC of the uploading provider, may be empty; received_on: the day.

    invoice, usage: of a file of usage: the invoice of lines that name none, and add, replace or nothing.
    """

    provider: str
    service_month: str
    received_on: date
    invoice: str = ""
    usage: str = ""


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
        """0: all rows accepted or known. 3: some need a look. 1: the file is blocked."""
        if any(problem.severity == "blocking" for problem in self.problems):
            return 1
        return 3 if any(self.counts[name] for name in ("conflict", "rejected", "held")) else 0


class _Rehearsed(Exception):
    """Carries the outcome of a dry run (or of a file that changed nothing) out of a transaction to roll back."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def ask(
    user: User, provider: str | None, service_month: str | None, received_on: date | None,
    invoice: str | None = None, mode: str | None = None,
) -> Asked:  # fmt: skip
    """Check how a file is handed in. Raises Misused or Refused."""
    today = business_day()
    if user.role == "provider":
        if provider is not None and provider != user.provider_uscc:
            raise Refused("not_your_file", "服务商只能上传本单位的文件。请去掉 --provider 或填写本单位的代码。")
        if received_on is not None and received_on != today:
            raise Refused("back_dated", "申报日由系统按当天记录；如需补记更早的日期，请联系经办人员。")
        provider = user.provider_uscc
    if received_on is not None and received_on > today:
        raise Misused("received_ahead", f"申报日 {received_on} 晚于今天（{today}）。")
    if service_month:
        try:
            month_span(service_month)
        except ValueError:
            raise Misused("bad_month", f"服务月份“{service_month}”无法识别。请写成 2026-08。") from None
    number, wrong = read_invoice_number(invoice or "")
    if wrong is not None:
        raise Misused("bad_invoice_number", f"--invoice：“{invoice}”不是有效的发票号码。请照发票填写完整号码。")
    if (mode or usage.MODES[0]) not in usage.MODES:
        raise Misused("bad_usage", f"--usage 不能是“{mode}”。请写 add（补充）或 replace（更正并取代）。")
    return Asked(provider or "", service_month or "", received_on or today, str(number or ""), mode or "")


def import_file(
    engine: Engine,
    source: Path,
    user: User,
    asked: Asked,
    *,
    dry_run: bool = False,
    listing: bool = False,
    progress: Progress = lambda _: None,
    look: Look = lambda _db, _upload_id: None,
) -> Outcome:
    """Import one file; with `listing` the outcome names every invoice. look: sees the books as the import leaves them.

    Raises Misused, Refused, Busy; what is wrong with the file is in the outcome.
    """
    problems = guard.check_size(source)
    if problems:
        return _blocked("", problems)
    with receive(source, copy=not dry_run) as received:
        return _import_received(engine, received, user, asked, dry_run, listing, progress, look)


def _import_received(
    engine: Engine, received: Received, user: User, asked: Asked, dry_run: bool, listing: bool, progress: Progress,
    look: Look,
) -> Outcome:  # fmt: skip
    """Import a file that nobody else can change any more."""
    sha256 = received.digests.sha256
    problems = guard.check_file(received.path)
    if problems:
        return _blocked(sha256, problems)
    kind = guard.kind_by_content(received.path)
    chosen = _format(engine, received.path, kind, asked)
    if isinstance(chosen, Problem):
        return _blocked(sha256, [chosen])

    def work(db: Connection) -> Outcome:
        try:
            outcome = _import(db, received, chosen, kind, user, asked, progress)
            undone = False
        except _Rehearsed as rehearsed:
            outcome, undone = rehearsed.outcome, True
        if listing and outcome.upload_id is not None:
            rows = query(db, "queries/import/invoices.sql", upload_id=outcome.upload_id)
            outcome = replace(outcome, invoices=rows)
        if outcome.upload_id is not None:
            look(db, outcome.upload_id)
        if dry_run and outcome.fresh:
            outcome, undone = replace(outcome, upload_id=None), True
        if undone:
            raise _Rehearsed(outcome)
        return outcome

    try:
        return database.run(engine, work)
    except _Rehearsed as rehearsed:
        return rehearsed.outcome


def _format(engine: Engine, path: Path, kind: str, asked: Asked) -> formats.Format | Problem:
    """Find how to read a file: a format that knows it, else a saved mapping, else what is wrong with its header."""
    chosen = formats.known(path, kind)
    if chosen is not None or kind not in ("csv", "xlsx"):
        return chosen or formats.identify(path, kind)
    mapped = database.run(engine, lambda db: mapping.find(db, path, kind, asked.provider), "cvl_auditor")
    return mapped or mapping.unknown(path, kind) or formats.identify(path, kind)


def _blocked(sha256: str, problems: Sequence[Problem], format_name: str = "") -> Outcome:
    """Make the outcome of a file that cannot be taken at all. sha256: empty when it was not even read."""
    counts = dict.fromkeys(OUTCOMES, 0)
    return Outcome(None, sha256, format_name, 0, counts, (), tuple(problems))


def _import(
    db: Connection,
    received: Received,
    chosen: formats.Format,
    kind: str,
    user: User,
    asked: Asked,
    progress: Progress,
) -> Outcome:
    """Import a received file within a transaction."""
    if isinstance(chosen, UsageFormat):
        return _import_usage(db, received, chosen, kind, user, asked, progress)
    key = {
        "sha256": received.digests.sha256,
        "provider": asked.provider,
        "service_month": asked.service_month,
    }
    before = query(db, "queries/import/uploads_of_file.sql", **key)
    if before and not before[-1]["open_rows"]:
        return read(db, before[-1]["upload_id"], fresh=False)
    reference = ":".join((*key.values(), str(len(before) + 1)))
    try:
        with acts.act(db, "upload", reference, user.name, key) as act:
            make_tables(db)
            staged = stage(db, chosen.read(received.path, kind, today=business_day()), progress)
            if staged.blocked:
                raise _Rehearsed(_blocked(received.digests.sha256, staged.problems, chosen.NAME))
            _accept(db, act.act_id, received, chosen, staged, asked)
            keep(received)
        outcome = read(db, act.act_id)
    except acts.AlreadyDone as done:
        return read(db, done.act_id, fresh=False)
    if before and not one(db, "queries/import/news.sql", upload_id=act.act_id, before=before[-1]["upload_id"]):
        raise _Rehearsed(read(db, before[-1]["upload_id"], fresh=False))
    return outcome


def _import_usage(
    db: Connection, received: Received, chosen: UsageFormat, kind: str, user: User, asked: Asked, progress: Progress
) -> Outcome:
    """Import a file of usage within a transaction; the same bytes for the same invoice count once."""
    key = {"sha256": received.digests.sha256, "invoice": asked.invoice}
    try:
        with acts.act(db, "usage", ":".join(key.values()), user.name, key) as act:
            problems = usage.take(
                db, act.act_id, received, chosen, kind, provider=asked.provider, received_on=asked.received_on,
                today=business_day(), invoice=asked.invoice, mode=asked.usage, progress=progress,
            )  # fmt: skip
            if any(problem.severity == "blocking" for problem in problems):
                raise _Rehearsed(_blocked(received.digests.sha256, problems, chosen.NAME))
            _write_problems(db, act.act_id, problems)
            keep(received)
        return read(db, act.act_id)
    except acts.AlreadyDone as done:
        return read(db, done.act_id, fresh=False)


def _accept(
    db: Connection, act_id: int, received: Received, chosen: formats.Format, staged: Staged, asked: Asked
) -> None:
    """Judge the staged invoices against each other and the books, and write what is accepted."""
    month = month_span(asked.service_month) if asked.service_month else None
    run_file(
        db,
        "queries/import/03_context.sql",
        upload_id=act_id,
        provider=asked.provider,
        received_on=asked.received_on,
        service_from=month.start if month else None,
        service_until=month.end if month else None,
        evidence=staged.asides.get("evidence", chosen.EVIDENCE),
    )
    many = staged.rows > _MANY
    if many:
        database.expect_many(db)
    for name, table in (
        ("10_lock_buckets", ""), ("11_waiting", "stage"), ("20_several", "several"), ("21_entry", "entry"),
        ("22_own_faults", ""), ("30_judged", "judged"),
    ):  # fmt: skip
        if name == "20_several":
            evidence.fill_spans(db)
        run_file(db, f"queries/import/{name}.sql")
        if table and many:
            db.exec_driver_sql(f"ANALYZE {table}")
    evidence.hold(db, staged)
    run_file(db, "queries/import/31_claim_numbers.sql", kind="blue")
    run_file(db, "queries/import/32_taken_meanwhile.sql")
    run_file(db, "queries/import/33_reds.sql")
    run_file(db, "queries/import/31_claim_numbers.sql", kind="red")
    run_file(db, "queries/import/32_taken_meanwhile.sql")
    evidence.judge(db)
    run_file(db, "queries/import/40_judgements.sql")
    _write(db, act_id, received, chosen, staged, asked)
    _write_problems(db, act_id, [*staged.problems, *_found(db), *usage.take_up(db, act_id)])


def _write(
    db: Connection, act_id: int, received: Received, chosen: formats.Format, staged: Staged, asked: Asked
) -> None:
    """Write the facts of the upload."""
    run_file(db, "queries/import/50_providers.sql", act_id=act_id)
    run_file(db, "queries/import/51_provider_names.sql", act_id=act_id)
    run_file(
        db,
        "queries/import/59_document.sql",
        act_id=act_id,
        sha256=received.digests.sha256,
        sm3=received.digests.sm3,
        size_bytes=received.size_bytes,
    )
    run_file(
        db,
        "queries/import/60_upload.sql",
        upload_id=act_id,
        sha256=received.digests.sha256,
        file_name=received.name,
        format=chosen.NAME,
        provider=asked.provider,
        service_month=asked.service_month,
        received_on=asked.received_on,
        header=UNIT.join(staged.header.cells) if staged.header else "",
    )
    run_file(db, "queries/import/61_upload_rows.sql", upload_id=act_id)
    run_file(db, "queries/import/62_held_rows.sql", upload_id=act_id)
    run_file(db, "queries/import/70_invoices.sql", act_id=act_id)
    run_file(db, "queries/import/71_lines.sql", upload_id=act_id)
    evidence.write(db, act_id, received.digests.sha256, list(staged.asides.items()))


def _found(db: Connection) -> list[Problem]:
    """List what the queries found wrong with rows and invoices."""
    problems = []
    for row in query(db, "queries/import/81_found.sql"):
        problems.append(
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
    for row in query(db, "queries/import/80_unsaid.sql"):
        problems.append(
            make(
                row["code"],
                row=row["row_no"],
                invoice_number=row["invoice_number"],
                sheet=row["sheet"],
                other_row=row["other_row"],
            )
        )
    return problems


def _write_problems(db: Connection, act_id: int, found: Sequence[Problem]) -> None:
    """Write all problems of an upload in the order of its rows, those of the cells and those of the books."""
    problems = sorted(found, key=lambda problem: (problem.row or 0, problem.sheet))
    columns = "upload_id, problem_no, sheet, row_no, code, severity, column_name, value, message, invoice_number"
    run_file(db, "queries/import/82_problem.sql")
    with driver(db).cursor() as cursor, cursor.copy(f"COPY problem ({columns}) FROM STDIN") as copy:
        for number, p in enumerate(problems, 1):
            row_values = (act_id, number, p.sheet, p.row, p.code, p.severity, p.column, p.value, p.message)
            copy.write_row((*row_values, p.invoice_number))
    run_file(db, "queries/import/83_problems.sql")


def read(db: Connection, upload_id: int, *, fresh: bool = True) -> Outcome:
    """Read how an upload ended from its facts. Raises Refused when there is no such upload."""
    row = one(db, "queries/import/upload.sql", upload_id=upload_id)
    if row is None:
        raise Refused("no_upload", f"没有编号为 {upload_id} 的上传。")
    problems = tuple(
        Problem(
            code=p["code"],
            severity=p["severity"],
            message=p["message"],
            row=p["row_no"],
            column=p["column_name"],
            value=p["value"],
            invoice_number=p["invoice_number"],
            sheet=p["sheet"],
        )
        for p in query(db, "queries/import/problems.sql", upload_id=upload_id)
    )
    return Outcome(
        upload_id=upload_id,
        sha256=row["sha256"],
        format=row["format"],
        rows=row["rows"],
        counts={name: row[name] for name in OUTCOMES},
        invoices=(),
        problems=problems,
        failing=query(db, "queries/import/failing_rows.sql", upload_id=upload_id),
        header=row["header"].split(UNIT),
        fresh=fresh,
    )


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
                "accepted_no": None if outcome.upload_id is None else row["accepted_no"],
            }
            for row in outcome.invoices
        ],
        "problems": [problem_data(problem) for problem in outcome.problems],
    }  # fmt: skip
    if outcome.exit_status == 1:
        first = next(problem for problem in outcome.problems if problem.severity == "blocking")
        data["error"] = {"code": first.code, "message": first.message}
    return data

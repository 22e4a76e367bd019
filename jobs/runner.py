"""Run due slots: each exactly once, however many schedulers there are and whichever of them dies.

A slot is taken under an advisory lock of the transaction that does its work and records it. A scheduler that is
killed leaves nothing behind; the next one takes the slot. The clock is the business day.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, Engine

from jobs.job import Context, Job, Outcome, registry, slots
from voucher.database import one, query, run, run_file, transaction
from voucher.days import business_day
from voucher.errors import CvlError, Misused, Refused

ATTEMPTS, PAUSE_MINUTES = 3, 10
"""A failed slot is tried so often by the scheduler, so far apart; then a person must run it."""
SCHEDULER = "scheduler"
_LOG = logging.getLogger("cvl.jobs")


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a slot just now. outcome: None when another scheduler has it; fresh: whether it ran now."""

    job: str
    slot: str
    outcome: Outcome | None
    fresh: bool


class _RolledBack(Exception):
    """Ends a dry run."""


def run_slot(
    engine: Engine, job: Job, slot: str, *, asked_by: str = SCHEDULER, dry_run: bool = False, skip: str = ""
) -> Ran:
    """Run one slot, or give the answer of the first run. A failed slot runs again.

    skip: record it as skipped for this reason instead. dry_run: do the work, keep nothing.
    """
    outcome: Outcome | None = None
    try:
        with transaction(engine) as db:
            lock = one(db, "queries/job/lock.sql", job=job.name, slot=slot)
            assert lock is not None
            if not lock["had"]:
                return Ran(job.name, slot, None, fresh=False)
            before = _before(db, job, slot, asked_by)
            if before is not None:
                return Ran(job.name, slot, before, fresh=False)
            outcome = Outcome("skipped", skip) if skip else _worked(db, engine, job, slot, dry_run)
            if dry_run:
                raise _RolledBack
            run_file(
                db, "queries/job/write.sql", job=job.name, slot=slot, state=outcome.state, asked_by=asked_by,
                started_at=lock["started_at"], output=outcome.output,
            )  # fmt: skip
    except _RolledBack:
        pass
    assert outcome is not None
    level = logging.ERROR if outcome.state == "failed" else logging.INFO
    _LOG.log(level, "%s %s %s", job.name, slot, outcome.state, extra={"run": f"{job.name}/{slot}", "user": asked_by})
    return Ran(job.name, slot, outcome, fresh=True)


def _before(db: Connection, job: Job, slot: str, asked_by: str) -> Outcome | None:
    """Return how the slot ended before, None when it is to run (again)."""
    row = one(db, "queries/job/find.sql", job=job.name, slot=slot, pause_minutes=PAUSE_MINUTES)
    if row is None:
        return None
    if row["state"] == "failed" and (asked_by != SCHEDULER or (row["attempts"] < ATTEMPTS and not row["waits"])):
        return None
    return Outcome(row["state"], row["output"])


def _worked(db: Connection, engine: Engine, job: Job, slot: str, dry_run: bool) -> Outcome:
    """Do the work in a savepoint: what failed leaves nothing but its record, which a lost connection cannot take."""
    try:
        with db.begin_nested():
            return job.work(Context(db, engine, slot, business_day(), dry_run))
    except Exception as error:
        if db.invalidated:
            raise
        if isinstance(error, CvlError):
            return Outcome("failed", error.message)
        _LOG.exception("%s %s", job.name, slot, extra={"run": f"{job.name}/{slot}"})
        return Outcome("failed", f"程序出现意外错误（{type(error).__name__}）。详情见日志，请交给系统管理员。")


def due(engine: Engine, job: Job, today: date) -> list[tuple[str, str]]:
    """List a job's slots that are due and did not end well yet, in order, each with why it is skipped, if it is.

    One that failed too often waits for a person and holds up no other.

    Raises Refused (`calendar_missing`) when the calendar does not reach that far.
    """

    def work(db: Connection) -> tuple[date | None, dict[str, str]]:
        row = one(db, "queries/job/first_day.sql")
        known = {
            each["slot"]: "done" if each["state"] == "failed" and each["attempts"] >= ATTEMPTS else each["state"]
            for each in query(db, "queries/job/slots.sql", job=job.name)
        }
        return (row["effective_on"] if row else None), known

    first, known = run(engine, work, "cvl_auditor")
    if first is None:
        return []
    if not job.every and not known:
        first = max(first, today if job.period == "day" else (today.replace(day=1) - timedelta(days=1)))
    elif not job.every:
        begin = max(known)
        first = date.fromisoformat(begin if job.period == "day" else f"{begin}-01")
    waiting = [slot for slot in slots(job, first, today) if known.get(slot) not in ("done", "skipped")]
    if job.every or not waiting:
        return [(slot, "") for slot in waiting]
    return [*((slot, f"已错过，由 {waiting[-1]} 的一次代替。") for slot in waiting[:-1]), (waiting[-1], "")]


def tick(engine: Engine, jobs: Iterable[Job] | None = None) -> Iterator[Ran]:
    """Run everything that is due now, each job's slots in order; a failure ends that job's turn, not the others'."""
    today = business_day()
    for job in registry().values() if jobs is None else jobs:
        try:
            waiting = due(engine, job, today)
        except Refused as refusal:
            _LOG.error("%s %s", job.name, refusal.message, extra={"run": job.name})
            continue
        for slot, skip in waiting:
            ran = run_slot(engine, job, slot, skip=skip)
            yield ran
            if ran.outcome is None or ran.outcome.state == "failed":
                break


def find(name: str) -> Job:
    """Find a job by name. Raises Misused."""
    job = registry().get(name)
    if job is None:
        raise Misused("no_job", f"没有名为“{name}”的定时任务。可选：{'、'.join(registry())}。")
    return job


def slot_of(job: Job, asked: str | None, today: date) -> str:
    """Choose the slot to run: the one asked for, else the last that is due. Raises Misused, Refused."""
    if asked is None:
        start = today if job.period == "day" else (today.replace(day=1) - timedelta(days=40)).replace(day=1)
        found = list(slots(job, start, today))
        if not found:
            raise Refused("not_due", f"“{job.title}”眼下没有到期的一期。请用 cvl jobs list 查看。")
        return found[-1]
    try:
        day = job.due(asked)
        if len(asked) != (10 if job.period == "day" else 7):
            raise ValueError(asked)
    except ValueError:
        example = "2026-08-15" if job.period == "day" else "2026-08"
        raise Misused("bad_slot", f"“{asked}”不是这项任务的一期，请写成 {example}。") from None
    if day > today:
        raise Refused("not_due", f"“{job.title}”{asked} 这一期要到{day}才到期。")
    return asked

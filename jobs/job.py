"""What a scheduled job is: one file of jobs/tasks that declares JOB; it is found by itself.

A slot is a period of business, a month (2026-08) or a day (2026-08-15), with the day on which it is due.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine

from voucher import workdays
from voucher.days import month_span

State = Literal["done", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended. output: Chinese lines for whoever looks; no account numbers, no names of persons."""

    state: State
    output: str


@dataclass(frozen=True, slots=True)
class Context:
    """What a job works with. db: the transaction in which its slot is recorded, so that both stand or fall.

    engine: for what needs a connection of its own. dry_run: write no file; the transaction is rolled back.
    """

    db: Connection
    engine: Engine
    slot: str
    today: date
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Job:
    """A scheduled job. due: slot to the day from which on it may run; it may raise Refused (`calendar_missing`).

    every: False when only the latest of several missed slots is worth running; the others are recorded as skipped.
    """

    title: str
    period: Literal["day", "month"]
    due: Callable[[str], date]
    work: Callable[[Context], Outcome]
    every: bool = True
    name: str = ""


def same_day(slot: str) -> date:
    """Make a daily slot due on its day."""
    return date.fromisoformat(slot)


def month_over(slot: str) -> date:
    """Make a monthly slot due on the first day after its month."""
    return month_span(slot).end


def fifth_working_day(slot: str) -> date:
    """Make a monthly slot due on the fifth working day after its month. Raises Refused (`calendar_missing`)."""
    after = month_span(slot).end
    return workdays.of_month(after.year, after.month, 5)


def first_day(slot: str) -> date:
    """Make a monthly slot due on the first day of its month."""
    return month_span(slot).start


def slots(job: Job, start: date, today: date) -> Iterator[str]:
    """List the slots from the one that holds a day on that are due by today, in order.

    Raises Refused (`calendar_missing`) where the calendar ends.
    """
    day = start
    while day <= today:
        slot = day.isoformat() if job.period == "day" else f"{day:%Y-%m}"
        if job.due(slot) > today:
            return
        yield slot
        day = day + timedelta(days=1) if job.period == "day" else month_span(slot).end


@cache
def registry() -> dict[str, Job]:
    """Find all jobs: name (that of the file) to job, by name."""
    found = {}
    for path in sorted((Path(__file__).parent / "tasks").glob("[a-z]*.py")):
        job: Job = import_module(f"jobs.tasks.{path.stem}").JOB
        found[path.stem] = Job(job.title, job.period, job.due, job.work, job.every, path.stem)
    return found

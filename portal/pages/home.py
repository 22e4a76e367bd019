"""The first page: a provider's month, the bureau's work list."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from importers import handed
from portal.page import Page, Visit
from portal.show import show
from settlement import documents
from settlement.policy import in_force
from voucher import acts, workdays
from voucher.database import one, query
from voucher.days import business_day
from voucher.errors import Refused

MONTHS, DRAFT_DAY = 12, 5
"""Months that the page shows; the working day of a month on which the month before is settled."""


def home(visit: Visit) -> Response:
    """Show where a user's work begins."""
    if visit.user.role == "provider":
        return _month(visit)
    found = visit.read(lambda db: one(db, "queries/portal/work.sql", today=business_day()))
    return show(visit, "work.html", work=found)


def _month(visit: Visit) -> Response:
    """Show a provider what is in, what is missing, and until when."""
    uscc = visit.user.provider_uscc or ""
    month = date.fromisoformat(f"{month_before(business_day())}-01")

    def work(db: Connection) -> dict[str, Any]:
        open_rows = {
            status: query(db, "queries/console/invoices.sql", **invoices_asked(uploader=uscc, status=status))
            for status in ("held", "conflict", "rejected")
        }
        return {
            "months": query(db, "queries/portal/months.sql", provider=uscc, rows=MONTHS),
            "missing": query(db, "queries/portal/missing.sql", provider=uscc, month=month),
            "open": open_rows,
            "deadlines": _deadlines(db),
        }

    found = visit.read(work)
    waiting = visit.act("import", handed.waiting)
    return show(visit, "month_provider.html", month=month, waiting=waiting, settles=_settles(), **found)


def month_before(day: date) -> str:
    """Write the month before that of a day."""
    return f"{day.replace(day=1) - timedelta(days=1):%Y-%m}"


def invoices_asked(**which: Any) -> dict[str, Any]:
    """Give the parameters of the list of invoices, null where nothing is asked."""
    names = ("company", "provider", "status", "uploader", "number", "month", "rows", "skip", "cutoff")
    return dict.fromkeys(names) | which


def _settles() -> date | None:
    """Return the next day on which a settlement is drafted; None where the calendar does not reach."""
    today = business_day()
    try:
        day = workdays.of_month(today.year, today.month, DRAFT_DAY)
        if day < today:
            later = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
            day = workdays.of_month(later.year, later.month, DRAFT_DAY)
    except Refused:
        return None
    return day


def _deadlines(db: Connection) -> list[tuple[int, date]]:
    """List the cap years that may still be claimed, each with its last day."""
    today = business_day()
    policies = in_force(documents.recorded(db, acts.cutoff(db)))
    years = {year: max(p.deadline(year) for p, span in policies if span.start.year <= year <= span.last.year)
             for year in (today.year - 1, today.year)
             if any(span.start.year <= year <= span.last.year for _, span in policies)}  # fmt: skip
    return [(year, last) for year, last in years.items() if last >= today]


PAGES = (Page("/", home, "view home", nav="首页"),)

"""The year at a glance: every figure leads to its rows."""

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from importers.outcome import WORDS
from portal.chart import charts
from portal.page import Page, Visit
from portal.show import show
from reconciliation import reports
from voucher import acts
from voucher.database import query
from voucher.days import business_day
from voucher.entry import YEAR

SHOWN = ("budget", "funnel", "company_caps", "providers")
"""Reports whose charts make up the page."""


def dashboard(visit: Visit) -> Response:
    """Show budget and forecast, the funnel, the use of caps, providers' shares and the age of what is held."""
    today = business_day()
    year = visit.asked("year", YEAR, today.year)

    def work(db: Connection) -> dict[str, Any]:
        cutoff = acts.cutoff(db)
        made = [reports.run(db, name, str(year), cutoff, "") for name in SHOWN]
        ages = query(db, "queries/portal/held_ages.sql", today=today)
        return {"pictures": [(report, charts(report)) for report in made], "ages": ages, "cutoff": cutoff}

    return show(visit, "dashboard.html", year=year, words=WORDS, **visit.kept(("dashboard", year), work))


PAGES = (Page("/dashboard", dashboard, "view dashboard", nav="概览"),)

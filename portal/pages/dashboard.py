"""The year at a glance: every figure leads to its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from importers.outcome import WORDS
from portal.chart import charts
from portal.page import Page, Visit
from portal.show import show
from reconciliation import reports
from reconciliation.document import Report, Value
from voucher import acts
from voucher.database import query
from voucher.days import business_day
from voucher.entry import YEAR

SHOWN = ("budget", "funnel", "company_caps", "providers")
"""Reports whose charts make up the page."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure and where its rows are. kind: money (fen), percent (basis points) or count; note: a few more words."""

    words: str
    value: int
    kind: str
    path: str
    right: str
    note: str = ""


def dashboard(visit: Visit) -> Response:
    """Show budget and forecast, the funnel, the use of caps, providers' shares and the age of what is held."""
    today = business_day()
    year = visit.asked("year", YEAR, today.year)

    def work(db: Connection) -> dict[str, Any]:
        cutoff = acts.cutoff(db)
        made = [reports.run(db, name, str(year), cutoff, "") for name in SHOWN]
        ages = query(db, "queries/portal/held_ages.sql", today=today)
        return {
            "figures": _figures(year, dict(zip(SHOWN, made, strict=True)), ages),
            "pictures": [(report, charts(report)) for report in made], "ages": ages, "cutoff": cutoff,
        }  # fmt: skip

    return show(visit, "dashboard.html", year=year, words=WORDS, **visit.kept(("dashboard", year), work))


def _figures(year: int, made: Mapping[str, Report], ages: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """Say the year in a few figures, out of the reports whose charts stand below."""
    budget, caps = _columns(made["budget"]), _columns(made["company_caps"])
    steps, providers = _columns(made["funnel"]), _columns(made["providers"])
    report, waits = f"/reports/{{}}?period={year}", sum(row["invoices"] for row in ages)
    old = sum(row["older"] for row in ages)
    found = [
        Figure("下达指标", sum(budget["appropriated_fen"]), "money", "/budget", "view registry"),
        Figure("累计净核定", _last(budget["cum_fen"]), "money", report.format("budget"), "view reports"),
        Figure("指标执行率", _last(budget["used_bp"]), "percent", report.format("budget"), "view reports"),
        Figure("预测全年核定", _last(budget["forecast_fen"]), "money", report.format("budget"), "view reports"),
        Figure("已付", sum(budget["paid_fen"]), "money", report.format("budget"), "view reports"),
        *(Figure(step, invoices, "count", report.format("funnel"), "view reports")
          for step, invoices in zip(steps["step"][1:], steps["invoices"][1:], strict=True)),
        Figure("达到上限的企业", sum(cut > 0 for cut in caps["withheld_fen"]), "count", report.format("company_caps"),
               "view reports", f"共{len(caps['left_fen'])}家有券"),
        Figure("没有受理的发票", waits, "count", "#ages", "view dashboard", f"其中{old}张超过90天" if old else ""),
    ]  # fmt: skip
    if providers["share_bp"]:
        share, name = max(zip(providers["share_bp"], providers["provider_name"], strict=True))
        found.append(
            Figure("份额最大的服务商", share, "percent", report.format("providers"), "view reports", str(name))
        )
    return found


def _columns(made: Report) -> dict[str, list[Any]]:
    """Turn the first sheet of a report into its columns, by name."""
    rows = made.sections[0].rows
    return {column.name: [row[place] for row in rows] for place, column in enumerate(made.layout.columns)}


def _last(values: Sequence[Value]) -> int:
    """Return the last value that is there, 0 without one: months to come have none."""
    return next((value for value in reversed(values) if isinstance(value, int)), 0)


PAGES = (Page("/dashboard", dashboard, "view dashboard", nav="概览"),)

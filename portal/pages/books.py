"""The books for those who check them: month-end, reports as of any moment, the ledger, the seal, red flags."""

import io
import tempfile
from collections.abc import Callable
from datetime import date
from typing import Any, BinaryIO, cast

from sqlalchemy import Connection
from starlette.responses import Response

from portal.chart import charts
from portal.page import Misfilled, Page, Visit, post
from portal.pages.home import month_before
from portal.pages.invoices import as_csv, yuan
from portal.pages.uploads import download
from portal.show import show
from reconciliation import bundle_export, flags, invariants, reports
from reconciliation.document import Report
from voucher import acts, ledger
from voucher.access import User
from voucher.database import one, query
from voucher.days import ZONE, business_day
from voucher.entry import MONTH, NUMBER, TEXT
from voucher.errors import Refused

ROWS, FLAGS = 100, 50
MONTHLY = "reconciliation"


def month(visit: Visit) -> Response:
    """Show the month-end on one page: green, or every difference by name."""
    period = visit.asked("period", MONTH, f"{business_day():%Y-%m}")

    def work(db: Connection) -> tuple[Report, int | None]:
        failures = invariants.check_all(db)
        made = reports.run(db, MONTHLY, period, acts.cutoff(db), visit.user.name, checked=failures)
        return made, invariants.first_wrong(failures)

    if visit.asked("now", TEXT):
        visit.readings.acted(visit.user.name)
    made, first = visit.kept(("month", period, visit.user.name), work)
    return show(
        visit,
        "month.html",
        made=made,
        first=first,
        period=period,
        checks=invariants.titles(),
        names=reports.names(),
        before=month_before(date.fromisoformat(f"{period}-01")),
    )


def listed(visit: Visit) -> Response:
    """List the reports."""
    return show(visit, "reports.html", names=reports.names(), period=f"{business_day():%Y-%m}")


def _work(visit: Visit, name: str, period: str) -> Callable[[Connection], Report]:
    """Say what reads a report, as of now or an earlier moment."""
    as_of = visit.asked("as_of", TEXT)
    return lambda db: reports.run(db, name, period, acts.cutoff(db, as_of), visit.user.name)


def report(visit: Visit) -> Response:
    """Show a report of a period, as of now or an earlier moment."""
    name, period = visit.path("name", TEXT), visit.asked("period", TEXT, f"{business_day():%Y-%m}")
    key = ("report", name, period, visit.asked("as_of", TEXT), visit.user.name)
    made = visit.kept(key, _work(visit, name, period))
    return show(visit, "report_page.html", made=made, name=name, period=period, charts=charts(made),
                formats=reports.FORMATS)  # fmt: skip


def report_file(visit: Visit) -> Response:
    """Give a report as a file."""
    name, period, format = visit.path("name", TEXT), visit.path("period", TEXT), visit.path("format", TEXT)
    if format not in reports.FORMATS:
        raise Refused("no_format", f"报表的格式有：{'、'.join(reports.FORMATS)}。")
    made, file = visit.read(_work(visit, name, period)), io.BytesIO()
    reports.FORMATS[format](made, file)
    return download(visit, file.getvalue(), f"{made.layout.title}-{period}.{format}", "exported")


def accounts(visit: Visit) -> Response:
    """List the accounts with their balance, as of now or an earlier moment."""
    name, as_of = visit.asked("name", TEXT, ""), visit.asked("as_of", TEXT)

    def work(db: Connection) -> tuple[int, list[dict[str, Any]]]:
        cutoff = acts.cutoff(db, as_of)
        return cutoff, ledger.balances(db, cutoff, name)

    cutoff, rows = visit.kept(("ledger", name, as_of), work)
    part, number = visit.paged(rows, ROWS)
    return show(visit, "ledger.html", rows=part, cutoff=cutoff, number=number, size=ROWS)


def _transfers(db: Connection, visit: Visit, **which: Any) -> list[Any]:
    cutoff = acts.cutoff(db, visit.asked("as_of", TEXT))
    asked = {"account": None, "act_no": None, "rows": None, "skip": 0, "cutoff": cutoff} | which
    return query(db, "queries/portal/transfers.sql", **asked)


def account(visit: Visit) -> Response:
    """Show the transfers of one account, newest first; each leads to its act and its invoice."""
    name, page = visit.asked("name", TEXT, ""), visit.number

    def work(db: Connection) -> list[Any]:
        if one(db, "queries/ledger/balance.sql", name=name) is None:
            raise Refused("no_account", f"账上没有账户“{name}”。请从“账簿”里选一个。")
        return _transfers(db, visit, account=name, rows=ROWS + 1, skip=(page - 1) * ROWS)

    rows = visit.read(work)
    return show(visit, "account.html", rows=rows, account=name, number=page, size=ROWS)


def account_file(visit: Visit) -> Response:
    """Give all transfers of an account as csv."""
    name = visit.asked("name", TEXT, "")
    heads = "账本号 记录时间 事项 办理 生效日 借方 贷方 金额 批次 发票号码"
    rows = (
        (r["act_no"], r["recorded_at"].astimezone(ZONE).isoformat(), r["act_kind"], r["actor"], r["effective_on"],
         r["debit"], r["credit"], yuan(r["amount_fen"]), r["run_id"], r["invoice_number"])
        for r in visit.read(lambda db: _transfers(db, visit, account=name))
    )  # fmt: skip
    return download(visit, as_csv(heads.split(), rows), f"账户-{name.replace(':', '-')}.csv", "exported")


def seals(visit: Visit) -> Response:
    """List the sealed acts, newest first."""
    page = visit.number
    rows = visit.read(
        lambda db: query(db, "queries/portal/acts.sql", act_no=None, rows=ROWS + 1, skip=(page - 1) * ROWS)
    )
    return show(visit, "seals.html", rows=rows, number=page, size=ROWS)


def act(visit: Visit) -> Response:
    """Show one act: its digests, what it moved."""
    no = visit.path("no", NUMBER)

    def work(db: Connection) -> dict[str, Any]:
        found = one(db, "queries/portal/acts.sql", act_no=no, rows=1, skip=0)
        if found is None:
            raise Refused("no_act", f"账本没有第 {no} 号。请从账本的列表进入。")
        return {"found": found, "rows": _transfers(db, visit, act_no=no, rows=ROWS + 1)}

    return show(visit, "act.html", size=ROWS, **visit.read(work))


def bundle(visit: Visit) -> Response:
    """Give the audit bundle up to the last seal; that it was given is an act."""
    user = visit.act("audit export", lambda _db, user: user)
    with tempfile.TemporaryFile() as file:
        target = cast(BinaryIO, file)
        done = visit.read(lambda db: bundle_export.export(db, target, bundle_export.START, acts.cutoff(db)))
        visit.act(
            "audit export", lambda db, _: bundle_export.record(db, user.name, done.since, done.until, done.sha256)
        )
        file.seek(0)
        return download(visit, file.read(), f"审计包-{done.until.no}.zip", "exported")


def _params(db: Connection, period: str) -> dict[str, Any]:
    span = reports.period_span(period)
    return {"period_from": span.start, "period_until": span.end, "cutoff": acts.cutoff(db)}


def red_flags(visit: Visit) -> Response:
    """List the red flags of a period with their evidence and what was decided."""
    period = visit.typed("period") or f"{business_day().year}"

    def work(db: Connection) -> tuple[list[flags.Flag], Report]:
        made = reports.run(db, "red_flags", period, acts.cutoff(db), visit.user.name)
        return flags.find(db, "flags", _params(db, period)), made

    found, made = visit.kept(("flags", period, visit.user.name), work)
    part, number = visit.paged(found, FLAGS)
    return show(
        visit, "flags.html", rows=part, period=period, made=made, verdicts=flags.VERDICTS, number=number, size=FLAGS
    )


def decide(visit: Visit) -> Response:
    """Record what was decided of a flag."""
    typed = visit.fill({"flag": TEXT, "subject": TEXT, "verdict": TEXT, "period": TEXT, "why": TEXT})
    if typed["verdict"] not in flags.VERDICTS:
        raise Misfilled({"verdict": "请选择结论。"})

    def work(db: Connection, user: User) -> int:
        params = _params(db, typed["period"])
        return flags.decide(db, user, params, typed["flag"], typed["subject"], typed["verdict"], typed["why"])

    visit.act("flag decide", work)
    return visit.go(f"/flags?period={typed['period']}", "已登记结论。")


PAGES = (
    Page("/month", month, "view month", nav="月末对账"),
    Page("/reports", listed, "view reports", nav="报表"),
    Page("/reports/{name}", report, "view reports"),
    Page("/reports/{name}/{period}.{format}", report_file, "export reports"),
    Page("/ledger", accounts, "view ledger", nav="账簿"),
    Page("/ledger/account", account, "view ledger"),
    Page("/ledger/account.csv", account_file, "export ledger"),
    Page("/seals", seals, "view seals", nav="封存"),
    Page("/seals/{no}", act, "view seals"),
    post("/seals/bundle", bundle, "audit export", seals),
    Page("/flags", red_flags, "view flags", nav="疑点"),
    post("/flags", decide, "flag decide", red_flags),
)

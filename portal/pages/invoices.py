"""Invoices: the list with its filters, one with its way, the statement and the payments of a provider."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import Response

from importers import resolve, verification, waiting
from importers.outcome import INVOICE_KINDS, WORDS
from importers.register_kinds import RESULTS
from portal.page import Misfilled, Page, Visit, post
from portal.pages.home import invoices_asked
from portal.pages.uploads import download
from portal.show import show
from reconciliation import payments, reports
from settlement.run import KINDS, STATES
from voucher import acts, uscc
from voucher.access import User
from voucher.database import one, query
from voucher.days import business_day
from voucher.entry import DAY, MONTH, TEXT
from voucher.errors import Misused, Refused
from voucher.money import format_yuan

ROWS = 50
STEPS = {
    **WORDS, **KINDS, "disclosed": "公示", "in_transit": "拨付在途", "paid": "已拨付", "returned": "银行退回",
}  # fmt: skip
"""Step of an invoice on its way to what it is called on screen."""
_RESULTS = {code: word for word, code in RESULTS}
_MARKS = {"accepted": "good", "held": "wait", "conflict": "bad", "rejected": "bad", "duplicate": "none"}


def _asked(visit: Visit) -> dict[str, Any]:
    """Read the filter; a provider's is always its own."""
    month = visit.asked("month", MONTH)
    status = visit.asked("status", TEXT)
    if status is not None and status not in WORDS:
        raise Misused("bad_status", "没有这一种结果。请从页面上选择。")
    return invoices_asked(
        uploader=visit.user.provider_uscc, status=status, number=visit.asked("number", TEXT),
        month=None if month is None else date.fromisoformat(f"{month}-01"),
        company=_code(visit, "company"), provider=_code(visit, "provider"),
    )  # fmt: skip


def _code(visit: Visit, name: str) -> str | None:
    """Read a party's code as people type it."""
    code = visit.asked(name, TEXT)
    return uscc.normal(code) if code else None


def _rows(visit: Visit, **part: int) -> tuple[Sequence[Any], Mapping[str, str]]:
    """List the invoices of the filter, now or as of a moment, and name their parties."""
    asked, as_of = _asked(visit) | part, visit.asked("as_of", TEXT)

    def work(db: Connection) -> tuple[Sequence[Any], Mapping[str, str]]:
        rows = query(db, "queries/console/invoices.sql", **asked | {"cutoff": acts.cutoff_then(db, as_of)})
        return rows, names(db, rows, "company", "provider")

    return visit.read(work)


def names(db: Connection, rows: Iterable[Mapping[str, Any]], *columns: str) -> Mapping[str, str]:
    """Name the parties whose codes stand in these columns: code to name, nothing of one without a name."""
    codes = sorted({row[column] for row in rows for column in columns if row[column]})
    return {row["code"]: row["name"] for row in query(db, "queries/portal/names.sql", codes=codes)}


def listed(visit: Visit) -> Response:
    """List invoices."""
    page = visit.number
    rows, named = _rows(visit, rows=ROWS + 1, skip=(page - 1) * ROWS)
    return show(visit, "invoices.html", rows=rows, names=named, number=page, size=ROWS, words=WORDS, marks=_MARKS)


def exported(visit: Visit) -> Response:
    """Give exactly the invoices of the filter as csv."""
    rows, named = _rows(visit)
    heads = [
        "受理号",
        "发票号码",
        "结果",
        "企业代码",
        "企业",
        "服务商代码",
        "服务商",
        "服务起",
        "服务止",
        "不含税金额",
        "价税合计",
        "申报日",
        "已核定补贴",
    ]
    body = (
        (r["accepted_no"], r["number"], WORDS[r["status"]], r["company"], named.get(r["company"]), r["provider"],
         named.get(r["provider"]), r["from_on"], r["until_on"],
         yuan(r["net_fen"]), yuan(r["gross_fen"]), r["received_on"], yuan(r["granted_fen"]))
        for r in rows
    )  # fmt: skip
    return download(visit, as_csv(heads, body), "发票.csv", "exported")


def shown(visit: Visit) -> Response:
    """Show one invoice and every step on its way, now or as of a moment."""
    number, own, as_of = visit.path("number", TEXT), visit.user.provider_uscc, visit.asked("as_of", TEXT)

    def work(db: Connection) -> dict[str, Any]:
        cutoff = acts.cutoff(db, as_of)
        found = one(db, "queries/console/invoice.sql", number=number, cutoff=cutoff)
        if found is not None and own not in (None, found["provider"]):
            found = None
        steps = query(db, "queries/portal/timeline.sql", number=number, uploader=own, cutoff=cutoff)
        if found is None and not steps:
            raise Refused("no_invoice", f"没有收到过发票 {number}。请核对号码。")
        key = {"cutoff": cutoff, **{name: found[name] for name in ("company_id", "invoice_id")}} if found else None
        papers = [] if own else resolve.documents(db, number, cutoff)
        last = next((step["step"] for step in reversed(steps) if step["step"] in WORDS), "")
        return {
            "found": found, "steps": steps,
            "next": [] if own else waiting.next_steps(db, number, papers, last, cutoff),
            "checked": None if own else one(db, "queries/verification/last.sql", number=number, cutoff=cutoff),
            "lines": query(db, "queries/console/invoice_lines.sql", **key) if key else [],
            "grants": query(db, "queries/console/invoice_grants.sql", **key) if key else [],
        }  # fmt: skip

    return show(
        visit, "invoice.html", number=number, words=STEPS, marks=_MARKS, kinds=INVOICE_KINDS, states=STATES,
        line_kinds=KINDS, results=_RESULTS, **visit.read(work),
    )  # fmt: skip


def verify(visit: Visit) -> Response:
    """Record by hand what the tax platform said of an invoice."""
    number = visit.path("number", TEXT)
    typed = visit.fill({"result": TEXT}, {"checked_on": DAY, "checked_by": TEXT})
    if typed["result"] not in _RESULTS:
        raise Misfilled({"result": "请选择查验结果。"})
    day = typed["checked_on"] or business_day()

    def work(db: Connection, user: User) -> bool:
        return verification.record(db, user, number, typed["result"], day, typed["checked_by"] or user.name)

    fresh = visit.act("invoice verify", work)
    return visit.go(f"/invoices/{quote(number)}", f"查验结果{'已登记' if fresh else '此前已登记'}。")


def statement(visit: Visit) -> Response:
    """Show a provider's statement of a period."""
    period = visit.asked("period", TEXT, f"{business_day():%Y-%m}")
    return show(visit, "statement.html", made=_statement(visit, period), period=period)


def statement_file(visit: Visit) -> Response:
    """Give the statement as a file."""
    period, format = visit.path("period", TEXT), visit.path("format", TEXT)
    if format not in ("pdf", "xlsx"):
        raise Refused("no_format", "对账单只有 PDF 和 xlsx 两种格式。")
    file = io.BytesIO()
    reports.FORMATS[format](_statement(visit, period), file)
    return download(visit, file.getvalue(), f"服务商对账单-{period}.{format}", "exported")


def _statement(visit: Visit, period: str) -> Any:
    provider = visit.user.provider_uscc or ""
    return visit.read(lambda db: reports.statement(db, "provider", provider, period, acts.cutoff(db), visit.user.name))


def receipts(visit: Visit) -> Response:
    """List the payments whose payee the provider itself is."""
    rows = visit.read(lambda db: query(db, "queries/portal/receipts.sql", payee=visit.user.provider_uscc))
    return show(visit, "receipts.html", rows=rows, states=payments.STATES)


def yuan(fen: int | None) -> str:
    """Write fen as plain yuan for a file."""
    return "" if fen is None else format_yuan(fen)


def as_csv(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Write rows as csv that Excel opens; text that looks like a formula stays text."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def _harmless(cell: Any) -> Any:
    """Keep text from being taken for a formula, amounts as they are."""
    text = "" if cell is None else str(cell)
    amount = text[1:].replace(".", "").isdigit()
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not amount else text


PAGES = (
    Page("/invoices", listed, "view invoices", nav="发票"),
    Page("/invoices.csv", exported, "export invoices"),
    Page("/invoices/{number}", shown, "view invoices"),
    post("/invoices/{number}/verify", verify, "invoice verify", shown),
    Page("/statement", statement, "view statement", nav="对账单"),
    Page("/statement/{period}.{format}", statement_file, "export statement"),
    Page("/receipts", receipts, "view receipts", nav="收款"),
)

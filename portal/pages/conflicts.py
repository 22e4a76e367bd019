"""Documents that do not agree: the list, and the documents of one number side by side."""

from sqlalchemy import Connection
from starlette.responses import Response

from importers import resolve
from portal.page import Page, Visit, post
from portal.show import show
from voucher.access import User
from voucher.database import query
from voucher.entry import TEXT
from voucher.errors import Refused

ROWS = 50


def listed(visit: Visit) -> Response:
    """List the numbers whose documents do not agree."""
    page = visit.number
    which = {"rows": ROWS + 1, "skip": (page - 1) * ROWS, "cutoff": None}
    rows = visit.read(lambda db: query(db, "queries/portal/conflicts.sql", **which))
    return show(visit, "conflicts.html", rows=rows, number=page, size=ROWS)


def shown(visit: Visit) -> Response:
    """Show the documents of a number, and which of them counts."""
    number = visit.path("number", TEXT)
    found = visit.read(lambda db: resolve.documents(db, number))
    if not found:
        raise Refused("no_invoice", f"没有收到过发票 {number} 的单据。请核对号码。")
    return show(visit, "conflict.html", number=number, rows=found, kinds=resolve.KINDS, states=resolve.STATES)


def decide(visit: Visit) -> Response:
    """Propose which document counts."""
    number, typed = visit.path("number", TEXT), visit.fill({"keep": TEXT, "why": TEXT})

    def work(db: Connection, user: User) -> int:
        return resolve.propose(db, user, number, typed["keep"], typed["why"])

    return visit.proposed(visit.act("invoice resolve", work))


PAGES = (
    Page("/conflicts", listed, "view work"),
    Page("/conflicts/{number}", shown, "view work"),
    post("/conflicts/{number}", decide, "invoice resolve", shown),
)

"""One company: its standing, its vouchers and what happened to it; freeze, unfreeze, merge."""

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from portal.page import Page, Visit, post
from portal.show import show
from settlement import merger
from voucher import approval, life, uscc
from voucher.database import one, query
from voucher.entry import DAY, TEXT
from voucher.errors import Refused

_STATES = {"freeze": "frozen", "unfreeze": "active"}


def shown(visit: Visit) -> Response:
    """Show a company: what is registered, its standing, its vouchers, its life, what waits for a decision."""
    code = visit.path("uscc", TEXT)

    def work(db: Connection) -> dict[str, Any]:
        found = one(db, "queries/voucher/company.sql", uscc=code)
        if found is None:
            raise Refused("no_company", f"名单中没有企业 {code}。请核对统一社会信用代码，或先登记企业名单。")
        asked = dict.fromkeys(("year", "voucher_id", "cutoff", "rows", "skip")) | {"company": code}
        subject = {"noun": "company", "subject_id": found["party_id"]}
        moves = {verb: one(db, "queries/state/allowed.sql", **subject, to_state=to) for verb, to in _STATES.items()}
        return {
            "found": found, "registered": one(db, "queries/portal/companies.sql", find=code, rows=1, skip=0),
            "vouchers": query(db, "queries/voucher/list.sql", **asked), "moves": moves,
            "life": query(db, "queries/portal/company_life.sql", company=code),
            "pending": [each for each in approval.pending(db) if code in each.subject],
        }  # fmt: skip

    return show(visit, "company.html", code=code, state=life.shown, states=life.STATES, called=life.called,
                **visit.read(work))  # fmt: skip


def _move(visit: Visit, verb: str) -> Response:
    code, why = visit.path("uscc", TEXT), visit.fill({"why": TEXT})["why"]
    act = visit.act(f"company {verb}", lambda db, user: life.propose_company(db, user, code, _STATES[verb], why))
    return visit.proposed(act)


def freeze(visit: Visit) -> Response:
    """Propose to freeze a company."""
    return _move(visit, "freeze")


def unfreeze(visit: Visit) -> Response:
    """Propose to unfreeze a company."""
    return _move(visit, "unfreeze")


def merge(visit: Visit) -> Response:
    """Propose to record that a company was merged into another."""
    code, typed = visit.path("uscc", TEXT), visit.fill({"into": TEXT, "on": DAY, "merge_why": TEXT})
    act = visit.act(
        "company merge",
        lambda db, user: merger.propose(
            db, user, code, uscc.normal(typed["into"]), typed["on"], typed["merge_why"]
        ),
    )  # fmt: skip
    return visit.proposed(act)


PAGES = (
    Page("/companies/{uscc}", shown, "view registry"),
    post("/companies/{uscc}/freeze", freeze, "company freeze", shown),
    post("/companies/{uscc}/unfreeze", unfreeze, "company unfreeze", shown),
    post("/companies/{uscc}/merge", merge, "company merge", shown),
)

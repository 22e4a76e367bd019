"""公示: approved runs, what is disclosed of one, objections and refusals."""

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from portal.page import Page, Visit, post
from portal.show import show
from reconciliation import disclosure
from settlement import documents, refusal
from settlement import run as runs
from voucher import acts
from voucher.access import User
from voucher.database import query
from voucher.days import business_day
from voucher.entry import DAY, NUMBER, TEXT, YEAR


def listed(visit: Visit) -> Response:
    """List approved runs and how far their disclosure is."""
    rows = visit.read(lambda db: query(db, "queries/disclosure/runs.sql", today=business_day(), cutoff=acts.NOW))
    return show(visit, "disclosures.html", rows=rows)


def shown(visit: Visit) -> Response:
    """Show what is disclosed of a run: names and amounts, no numbers of any kind."""
    run_id = visit.path("id", NUMBER)

    def work(db: Connection) -> dict[str, Any]:
        return {
            "found": runs.find(db, run_id), "disclosed": disclosure.find(db, run_id),
            "rows": disclosure.listed(db, run_id), "objections": disclosure.objections(db, run_id),
        }  # fmt: skip

    return show(visit, "disclosure.html", words=disclosure.OBJECTIONS, states=runs.STATES, **visit.read(work))


def disclose(visit: Visit) -> Response:
    """Record the disclosure of a run."""
    run_id, from_on = visit.path("id", NUMBER), visit.fill({}, {"from_on": DAY})["from_on"]
    made = visit.act("disclose", lambda db, user: disclosure.disclose(db, user, run_id, from_on))
    return visit.go(f"/disclosures/{run_id}", f"自{made.from_on}起公示，至{made.until_on}（含）止。")


def object_to(visit: Visit) -> Response:
    """Hold the payment of an invoice."""
    run_id, typed = visit.path("id", NUMBER), visit.fill({"number": TEXT, "why": TEXT})
    visit.act("object", lambda db, user: disclosure.object_to(db, user, run_id, typed["number"], typed["why"]))
    return visit.go(f"/disclosures/{run_id}", "已登记异议，该发票的拨付暂停，不影响其他发票。")


def release(visit: Visit) -> Response:
    """Release an objection."""
    run_id, typed = visit.path("id", NUMBER), visit.fill({"released": TEXT, "release_why": TEXT})
    visit.act("object", lambda db, user: disclosure.release(db, user, run_id, typed["released"], typed["release_why"]))
    return visit.go(f"/disclosures/{run_id}", "已解除异议，可以拨付。")


def refuse(visit: Visit) -> Response:
    """Propose to refuse an invoice's claims, or to lift that."""
    run_id = visit.path("id", NUMBER)
    typed = visit.fill({"refused": TEXT, "refuse_why": TEXT}, {"year": YEAR, "lift": TEXT})

    def work(db: Connection, user: User) -> int:
        chosen = documents.only_programme(documents.recorded(db, acts.cutoff(db)), runs.find(db, run_id).programme)
        return refusal.propose(
            db, user, chosen, typed["refused"], typed["year"], why=typed["refuse_why"], lift=bool(typed["lift"])
        )

    return visit.proposed(visit.act("refuse", work))


PAGES = (
    Page("/disclosures", listed, "view disclosures", nav="公示"),
    Page("/disclosures/{id}", shown, "view disclosures"),
    post("/disclosures/{id}", disclose, "disclose", shown),
    post("/disclosures/{id}/object", object_to, "object", shown),
    post("/disclosures/{id}/release", release, "object", shown),
    post("/disclosures/{id}/refuse", refuse, "refuse", shown),
)

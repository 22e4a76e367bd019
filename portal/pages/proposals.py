"""What needs a second person: the list, one with its content and digest, the decision."""

import json

from starlette.responses import Response

from portal.page import Page, Visit, post
from portal.show import show
from reconciliation import decisions
from reconciliation.contents import STATES, called, laid_out
from voucher import approval
from voucher.entry import NUMBER, TEXT

_SAID = {"approved": "已批准", "rejected": "已退回", "withdrawn": "已撤回"}
_RIGHT = {"approved": "approve", "rejected": "reject", "withdrawn": "withdraw"}


def waiting(visit: Visit) -> Response:
    """List what waits for a decision."""
    return show(visit, "proposals.html", rows=visit.read(approval.pending), words=approval.WORDS)


def shown(visit: Visit) -> Response:
    """Show one with its content: what stands by itself as names and values, each list as a table."""
    found = visit.read(lambda db: approval.find(db, visit.path("id", NUMBER)))
    if found.kind == "run":
        return visit.go(f"/runs/{json.loads(found.payload)['run']}")
    single, tables = laid_out(found)
    return show(
        visit, "proposal.html", found=found, single=single, tables=tables, called=called, words=approval.WORDS,
        states=STATES,
    )  # fmt: skip


def _decide(visit: Visit, verdict: str) -> Response:
    act_id = visit.path("id", NUMBER)
    typed = visit.fill({"why": TEXT} if verdict == "rejected" else {"digest": TEXT} if verdict == "approved" else {})
    visit.act(
        _RIGHT[verdict],
        lambda db, user: decisions.decide(
            db, act_id, verdict, user, why=typed.get("why") or "", digest=typed.get("digest")
        ),
    )
    return visit.go("/proposals", f"{_SAID[verdict]}事项 {act_id}。")


def approve(visit: Visit) -> Response:
    """Approve what was shown: the digest of the page goes with it."""
    return _decide(visit, "approved")


def reject(visit: Visit) -> Response:
    """Send back, with a reason."""
    return _decide(visit, "rejected")


def withdraw(visit: Visit) -> Response:
    """Take back one's own."""
    return _decide(visit, "withdrawn")


PAGES = (
    Page("/proposals", waiting, "view proposals", nav="复核"),
    Page("/proposals/{id}", shown, "view proposals"),
    post("/proposals/{id}/approve", approve, "approve", shown),
    post("/proposals/{id}/reject", reject, "reject", shown),
    post("/proposals/{id}/withdraw", withdraw, "withdraw", shown),
)

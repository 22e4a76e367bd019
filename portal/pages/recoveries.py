"""Money that companies have to pay back: who owes what, who was told, what came back."""

from starlette.responses import Response

from portal.page import Page, Visit, post
from portal.show import show
from settlement import recovery
from voucher import acts
from voucher.entry import DAY, TEXT, YUAN


def listed(visit: Visit) -> Response:
    """List what is or was to be paid back, claim by claim, now or as of a moment."""
    as_of = visit.asked("as_of", TEXT)
    rows = visit.read(lambda db: recovery.recoverables(db, acts.cutoff(db, as_of)))
    return show(visit, "recoveries.html", rows=rows)


def tell(visit: Visit) -> Response:
    """Record that a company was told to pay back."""
    typed = visit.fill({"told_number": TEXT, "told_on": DAY, "notice": TEXT})
    visit.act(
        "recovery tell",
        lambda db, user: recovery.tell(db, user, typed["told_number"], typed["told_on"], typed["notice"]),
    )
    return visit.go("/recoveries", f"已登记：{typed['told_on']}就发票 {typed['told_number']} 的追回款告知企业。")


def come_back(visit: Visit) -> Response:
    """Propose that money came back."""
    typed = visit.fill({"number": TEXT, "amount": YUAN, "on": DAY, "ref": TEXT})
    act = visit.act(
        "recovery return",
        lambda db, user: recovery.propose_return(
            db, user, typed["number"], typed["amount"], typed["on"], typed["ref"]
        ),
    )  # fmt: skip
    return visit.proposed(act)


PAGES = (
    Page("/recoveries", listed, "view recoveries", nav="追回"),
    post("/recoveries/tell", tell, "recovery tell", listed),
    post("/recoveries/return", come_back, "recovery return", listed),
)

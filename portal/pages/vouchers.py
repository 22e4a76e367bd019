"""Vouchers: the list, one with its whole life, issue and the moves by hand."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from portal.page import Misfilled, Page, Visit, post
from portal.pages.invoices import names
from portal.show import show
from settlement import documents, lapse
from voucher import acts, issuance, life, uscc
from voucher.access import User
from voucher.database import one, query
from voucher.entry import DAY, NUMBER, TEXT, YEAR, YUAN
from voucher.errors import Refused

ROWS = 100
_STATES = {"freeze": "frozen", "unfreeze": "issued", "revoke": "revoked", "return": "returned"}
_VERBS = {"freeze": "冻结", "unfreeze": "解冻", "revoke": "撤销", "return": "企业退回"}


def _find(db: Connection, cutoff: int | None = None, **which: Any) -> list[Mapping[str, Any]]:
    none = dict.fromkeys(("year", "company", "voucher_id", "rows", "skip"))
    return query(db, "queries/voucher/list.sql", **(none | which), cutoff=cutoff)


def listed(visit: Visit) -> Response:
    """List the vouchers, now or as of a moment."""
    year, company, as_of = visit.asked("year", YEAR), visit.asked("company", TEXT), visit.asked("as_of", TEXT)
    page = visit.number
    asked = {"year": year, "company": uscc.normal(company) if company else None, "rows": ROWS + 1,
             "skip": (page - 1) * ROWS}  # fmt: skip

    def work(db: Connection) -> dict[str, Any]:
        cutoff = acts.cutoff(db, as_of) if as_of else None
        return {"rows": _find(db, cutoff, **asked), "programmes": documents.programmes(db)}

    return show(visit, "vouchers.html", state=life.shown, number=page, size=ROWS, **visit.read(work))


def shown(visit: Visit) -> Response:
    """Show a voucher's whole life and what it was used for."""
    voucher_id = visit.path("id", NUMBER)

    def work(db: Connection) -> dict[str, Any]:
        found = _find(db, voucher_id=voucher_id)
        if not found:
            raise Refused("no_voucher", f"没有编号为 {voucher_id} 的券。请从券的列表进入。")
        asked = {"voucher_id": voucher_id, "cutoff": acts.cutoff(db)}
        subject = {"noun": "voucher", "subject_id": voucher_id}
        moves = {verb: one(db, "queries/state/allowed.sql", **subject, to_state=to) for verb, to in _STATES.items()}
        return {"found": found[0], "moves": [verb for verb, move in moves.items() if move and move["allowed"]], **{
            name: query(db, f"queries/voucher/{name}.sql", **asked) for name in ("life", "uses", "pending")
        }}  # fmt: skip

    return show(visit, "voucher.html", state=life.shown, called=life.called, verbs=_VERBS, **visit.read(work))


def issue(visit: Visit) -> Response:
    """Propose vouchers ahead of the first settlement: all that are due, or one company's."""
    typed = visit.fill({"for_year": YEAR}, {"for_company": TEXT, "face": YUAN, "programme": TEXT})
    if (typed["for_company"] is None) != (typed["face"] is None):
        raise Misfilled({
            "face" if typed["for_company"] else "for_company":
            "发给一家企业时，信用代码和面额要一起写；发给全部到期企业时，两项都不写。"
        })  # fmt: skip

    def work(db: Connection, user: User) -> int | None:
        terms = documents.terms(db, typed["programme"], typed["for_year"])
        if typed["for_company"] is None:
            return issuance.propose_due(db, user, terms)
        return issuance.propose_by_hand(db, user, terms, uscc.normal(typed["for_company"]), typed["face"])

    act = visit.act("voucher issue", work)
    if act is None:
        return visit.go("/vouchers", "有资格的企业都已有券，没有需要发放的。")
    return visit.proposed(act)


def apply(visit: Visit) -> Response:
    """Propose the voucher that a company applied for; the approval is its review."""
    typed = visit.fill({"applied_year": YEAR, "applicant": TEXT, "application": TEXT},
                       {"applied_face": YUAN, "applied_programme": TEXT})  # fmt: skip

    def work(db: Connection, user: User) -> int:
        terms = documents.terms(db, typed["applied_programme"], typed["applied_year"])
        company, reference = uscc.normal(typed["applicant"]), typed["application"]
        return issuance.propose_by_hand(db, user, terms, company, typed["applied_face"], reference)

    return visit.proposed(visit.act("voucher apply", work))


def expire(visit: Visit) -> Response:
    """Let the vouchers lapse whose deadline is past; what waits for a settlement stays open."""
    on = visit.fill({"on": DAY})["on"]
    found = visit.act("voucher expire", lambda db, user: lapse.expire(db, user, on))
    named = visit.read(lambda db: names(db, [{"company": each.company} for each in found], "company"))
    return show(visit, "expired.html", on=on, names=named, done=[each for each in found if not each.waits_for],
                waiting=[each for each in found if each.waits_for])  # fmt: skip


def _move(visit: Visit, verb: str) -> Response:
    voucher_id, why = visit.path("id", NUMBER), visit.fill({"why": TEXT})["why"]
    act = visit.act(f"voucher {verb}", lambda db, user: life.propose_voucher(db, user, voucher_id, _STATES[verb], why))
    return visit.proposed(act)


def freeze(visit: Visit) -> Response:
    """Propose to freeze a voucher."""
    return _move(visit, "freeze")


def unfreeze(visit: Visit) -> Response:
    """Propose to unfreeze a voucher."""
    return _move(visit, "unfreeze")


def revoke(visit: Visit) -> Response:
    """Propose to revoke a voucher."""
    return _move(visit, "revoke")


def give_back(visit: Visit) -> Response:
    """Propose that a company gives back what is left."""
    return _move(visit, "return")


PAGES = (
    Page("/vouchers", listed, "view vouchers", nav="券"),
    post("/vouchers", issue, "voucher issue", listed),
    post("/vouchers/apply", apply, "voucher apply", listed),
    post("/vouchers/expire", expire, "voucher expire", listed),
    Page("/vouchers/{id}", shown, "view vouchers"),
    post("/vouchers/{id}/freeze", freeze, "voucher freeze", shown),
    post("/vouchers/{id}/unfreeze", unfreeze, "voucher unfreeze", shown),
    post("/vouchers/{id}/revoke", revoke, "voucher revoke", shown),
    post("/vouchers/{id}/return", give_back, "voucher return", shown),
)

"""Registries and budget: files of companies, providers and the rest; appropriations and their years."""

from starlette.responses import Response

from importers import handed, register_kinds
from importers.registry import import_registry
from portal.page import Page, Visit, post, sentence_of
from portal.pages.uploads import UPLOAD_BYTES, on_disk
from portal.show import show
from voucher import acts, budget, ledger
from voucher.database import query
from voucher.entry import TEXT, YEAR, YUAN
from voucher.errors import CvlError

ROWS = 50


def registry(visit: Visit) -> Response:
    """List the companies, with the form for files."""
    page = visit.number
    asked = {"find": visit.asked("find", TEXT), "rows": ROWS + 1, "skip": (page - 1) * ROWS}
    rows = visit.read(lambda db: query(db, "queries/portal/companies.sql", **asked))
    return show(visit, "registry.html", rows=rows, number=page, size=ROWS, taken=None, kinds=register_kinds.KINDS)


def take(visit: Visit) -> Response:
    """Take registry files; each stands or falls by itself."""
    user = visit.act("registry import", lambda _db, user: user)
    files, taken, stopped = visit.files("files"), [], []
    for file in files:
        try:
            with on_disk(file) as path:
                each = import_registry(visit.engine, path, user)
            taken.append((file.filename, each, handed.grouped(each.problems)))
        except CvlError as error:
            if len(files) == 1:
                raise
            stopped.append((file.filename, sentence_of(error)))
    failed = bool(stopped) or any(each.exit_status == 1 for _, each, _ in taken)
    return show(visit, "registry_taken.html", 422 if failed else 200, taken=taken, stopped=stopped)


def standing(visit: Visit) -> Response:
    """Show every fiscal year: what was appropriated, what was granted and came back, what is left."""
    return show(visit, "budget.html", years=visit.kept("budget", lambda db: budget.years(db, acts.cutoff(db))))


def appropriate(visit: Visit) -> Response:
    """Propose an appropriation."""
    typed = visit.fill({"year": YEAR, "amount": YUAN, "ref": TEXT})
    act = visit.act(
        "budget appropriate",
        lambda db, user: ledger.propose_appropriation(db, user, typed["year"], typed["amount"], typed["ref"]),
    )
    return visit.proposed(act)


def close(visit: Visit) -> Response:
    """Propose to close a fiscal year."""
    year = visit.fill({"closing": YEAR})["closing"]
    act = visit.act("budget close", lambda db, user: budget.propose_close(db, user, year))
    return visit.proposed(act)


PAGES = (
    Page("/registry", registry, "view registry", nav="名单"),
    post("/registry", take, "registry import", registry, UPLOAD_BYTES),
    Page("/budget", standing, "view registry", nav="指标"),
    post("/budget/appropriate", appropriate, "budget appropriate", standing),
    post("/budget/close", close, "budget close", standing),
)

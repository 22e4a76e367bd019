"""Payments: batches, what is left out of one, the bank's file and its results; what has no counterpart at the bank."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from importers import handed
from portal.page import Misfilled, Page, Visit, post
from portal.pages.uploads import UPLOAD_BYTES, download, on_disk
from portal.show import show
from reconciliation import bank, payments, payout, results
from voucher import acts
from voucher.capitals import capitals
from voucher.database import query
from voucher.days import business_day
from voucher.entry import NUMBER, TEXT
from voucher.errors import Refused

LISTED, ALIKE = 200, 3
"""Rows of each side that are shown; payments that are proposed for a line."""


def listed(visit: Visit) -> Response:
    """List the batches, and the runs that can be paid."""

    def work(db: Connection) -> dict[str, Any]:
        runs = query(db, "queries/disclosure/runs.sql", today=business_day(), cutoff=acts.NOW)
        return {"rows": payments.batches(db)[::-1], "runs": [run for run in runs if run["over"]]}

    return show(visit, "payments.html", states=payments.STATES, **visit.read(work))


def batch(visit: Visit) -> Response:
    """Propose to pay what can be paid of a run; what is left out is listed."""
    run_id = visit.fill({"run": NUMBER})["run"]
    made = visit.act("pay batch", lambda db, user: payments.propose(db, user, run_id))
    return show(visit, "batch_made.html", made=made, run_id=run_id, why=payments.why)


def shown(visit: Visit) -> Response:
    """Show a batch: the payment list with amounts in capitals."""
    batch_id = visit.path("id", NUMBER)
    head, rows = visit.read(lambda db: (payments.find(db, batch_id), payments.payments(db, batch_id)))
    return show(
        visit, "batch.html", head=head, rows=rows, states=payments.STATES, capitals=capitals, formats=payout.FORMATS
    )


def export(visit: Visit) -> Response:
    """Give an approved batch for the bank; whole account numbers stand only in this file, and that it was given is
    an act."""
    batch_id, typed = visit.path("id", NUMBER), visit.fill({"format": TEXT})
    if typed["format"] not in payout.FORMATS:
        raise Misfilled({"format": "没有这种格式。"})

    def work(db: Connection, user: Any) -> bytes:
        _, content = payments.exported(db, batch_id, typed["format"], None)
        payments.record_export(db, user, batch_id, typed["format"], content)
        return content

    name = f"拨付批次{batch_id}.{'csv' if typed['format'] == 'bank-csv' else 'xml'}"
    return download(visit, visit.act("pay export", work), name, "exported")


def result(visit: Visit) -> Response:
    """Take in what the bank says of payments."""
    user = visit.act("pay result", lambda _db, user: user)
    (file, *_) = visit.files("file")
    with on_disk(file) as path:
        taken = results.take(visit.engine, path, user, None)
    if taken.blocked:
        raise Refused("unreadable", f"{file.filename}没有读入：{taken.problems[0].message}")
    said = f"新登记已付{taken.paid}笔、退回{taken.returned}笔，早已登记{taken.known}笔。"
    if not taken.problems:
        return visit.go("/payments", said)
    return show(visit, "problems.html", 422, heading="银行回单", said=said, groups=handed.grouped(taken.problems))


def unmatched(visit: Visit) -> Response:
    """Show what has no counterpart: payments on one side, lines of the bank on the other."""
    ways, rows, made = visit.read(lambda db: (bank.counts(db), bank.leftovers(db), bank.by_hand(db)))
    sides = {
        "payment": [row for row in rows if row["side"] in ("payment", "back")],
        "bank": [row for row in rows if row["side"] in ("out", "in")],
    }
    alike = {
        line["subject"]: _alike(line, sides["payment"]) for line in sides["bank"][:LISTED] if line["side"] == "out"
    }
    return show(visit, "bank.html", ways=ways, sides=sides, made=made, alike=alike, names=bank.WAYS, size=LISTED,
                states=payments.STATES)  # fmt: skip


def _alike(line: Mapping[str, Any], payments: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """Name the payments that a line of the bank may be: of its amount or its payee, the nearest first."""
    found = [each for each in payments if line["amount_fen"] == each["amount_fen"] or line["name"] == each["name"]]
    found.sort(key=lambda each: (line["amount_fen"] != each["amount_fen"], line["name"] != each["name"]))
    return [each["subject"] for each in found[:ALIKE]]


def take_statement(visit: Visit) -> Response:
    """Import a statement."""
    user = visit.act("bank import", lambda _db, user: user)
    (file, *_) = visit.files("file")
    with on_disk(file) as path:
        taken = bank.take(visit.engine, path, user, None)
    if taken.statement is None:
        groups = handed.grouped(taken.problems)
        return show(visit, "problems.html", 422, heading="银行对账单", said="整份对账单没有读入。", groups=groups)
    said = f"已导入{taken.rows}行，其中{taken.known}行此前已有。" if taken.fresh else "早已导入，没有改动。"
    return visit.go("/bank", said)


def match(visit: Visit) -> Response:
    """Propose a match by hand."""
    typed = visit.fill({"line": TEXT, "why": TEXT}, {"references": TEXT})
    references = (typed["references"] or "").replace("，", " ").replace(",", " ").split()
    act = visit.act("bank match", lambda db, user: bank.propose(db, user, typed["line"], references, typed["why"]))
    return visit.proposed(act)


def undo(visit: Visit) -> Response:
    """Undo a match by hand."""
    typed = visit.fill({"match": NUMBER, "undo_why": TEXT})
    visit.act("bank undo", lambda db, user: bank.undo(db, user, typed["match"], typed["undo_why"]))
    return visit.go("/bank", f"已撤销人工匹配 {typed['match']}。")


PAGES = (
    Page("/payments", listed, "view payments", nav="拨付"),
    post("/payments", batch, "pay batch", listed),
    post("/payments/results", result, "pay result", listed, UPLOAD_BYTES),
    Page("/payments/{id}", shown, "view payments"),
    post("/payments/{id}/export", export, "pay export", shown),
    Page("/bank", unmatched, "view bank", nav="银行"),
    post("/bank", take_statement, "bank import", unmatched, UPLOAD_BYTES),
    post("/bank/match", match, "bank match", unmatched),
    post("/bank/undo", undo, "bank undo", unmatched),
)

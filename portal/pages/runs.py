"""Settlement runs: draft, look through the lines, submit, decide; the 计算底稿 behind a line."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from portal.page import Page, Visit, post
from portal.pages.home import month_before
from portal.pages.invoices import as_csv, names, yuan
from portal.pages.uploads import download
from portal.show import show, why
from reconciliation.typeset import typeset
from settlement import documents, explain, verify
from settlement import run as runs
from settlement.explain_sheet import as_sheet
from settlement.run import KINDS
from voucher import acts
from voucher.database import query
from voucher.days import business_day
from voucher.entry import MONTH, NUMBER, TEXT
from voucher.errors import Misused

ROWS, SAMPLE, LISTED = 50, 20, 200
TABS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "all": ("全部", {}), "withheld": ("有核减", {"cut": True}), "recovery": ("追回", {"kind": "recovery"}),
    "backfill": ("补付", {"kind": "backfill"}), "sample": ("抽查", {"sort": "sample", "rows": SAMPLE}),
}  # fmt: skip
"""Tab to its name and what it filters."""
_SORTS = ("line", "computed", "granted", "withheld")


def listed(visit: Visit) -> Response:
    """List the runs, newest first, with the form for a draft."""
    as_of = visit.asked("as_of", TEXT)

    def work(db: Connection) -> tuple[Sequence[Any], Sequence[str]]:
        rows = query(db, "queries/settle/list.sql", cutoff=acts.cutoff_then(db, as_of))
        return rows, documents.programmes(db)

    rows, programmes = visit.read(work)
    return show(
        visit,
        "runs.html",
        rows=rows[::-1],
        states=runs.STATES,
        programmes=programmes,
        before=month_before(business_day()),
    )


def draft(visit: Visit) -> Response:
    """Draft a run."""
    typed = visit.fill({"through": MONTH}, {"backfill": TEXT, "programme": TEXT})
    made = visit.act(
        "settle draft",
        lambda db, user: runs.draft(
            db, user, runs.month_end(typed["through"]), backfill=bool(typed["backfill"]), programme=typed["programme"]
        ),
    )
    if made.run is None:
        return visit.go("/runs", f"截至{typed['through']}没有可结算的发票，未生成草稿。")
    return visit.go(f"/runs/{made.run.run_id}", "草稿已生成，尚未入账，可以反复起草。")


def _asked(visit: Visit) -> dict[str, Any]:
    """Read the filter of the lines."""
    tab, sort = visit.asked("tab", TEXT, "all"), visit.asked("sort", TEXT, "line")
    if tab not in TABS or sort.removeprefix("-") not in _SORTS:
        raise Misused("bad_filter", "没有这一种筛选。请从页面上选择。")
    asked = {"kind": None, "cut": False, "find": visit.asked("find", TEXT), "down": sort.startswith("-"),
             "sort": sort.removeprefix("-"), "rows": None, "skip": 0}  # fmt: skip
    return asked | TABS[tab][1]


def shown(visit: Visit) -> Response:
    """Show a run: totals, kinds, reasons, the lines of a tab."""
    run_id, page = visit.path("id", NUMBER), visit.number
    asked = {"rows": ROWS + 1} | _asked(visit) | {"run_id": run_id, "skip": (page - 1) * ROWS}
    asked["rows"] = asked["rows"] or ROWS + 1
    found = visit.read(lambda db: runs.find(db, run_id))

    def work(db: Connection) -> dict[str, Any]:
        lines = query(db, "queries/portal/lines.sql", **asked)
        held, backfill = runs.listed(db, found, "held"), runs.listed(db, found, "backfill")
        return {
            "sums": runs.totals(db, found), "lines": lines,
            "kinds": query(db, "queries/console/run_kinds.sql", run_id=run_id),
            "reasons": query(db, "queries/console/run_reasons.sql", run_id=run_id),
            "held": held, "backfill": backfill, "most": LISTED,
            "names": names(db, [*lines, *held[:LISTED], *backfill[:LISTED]], "company"),
        }  # fmt: skip

    read = visit.kept(("run", found.state, found.digest, *asked.values()), work)
    return show(
        visit, "run.html", found=found, number=page, size=ROWS, tabs=TABS, words=KINDS, states=runs.STATES, **read
    )


def exported(visit: Visit) -> Response:
    """Give exactly the lines of the filter as csv."""
    run_id, asked = visit.path("id", NUMBER), _asked(visit)

    def work(db: Connection) -> list[Any]:
        runs.find(db, run_id)
        return list(query(db, "queries/portal/lines.sql", **asked, run_id=run_id))

    heads = "发票号码 企业 服务商 年度 种类 计入基数 计算额 重复享受核减 上限核减 指标核减 补贴额 事由"
    figures = ("basis", "computed", "overlap_cut", "withheld", "budget_cut", "granted")
    rows = (
        (r["invoice_number"], r["company"], r["provider"], r["cap_year"], KINDS[r["kind"]],
         *(yuan(r[f"{name}_fen"]) for name in figures), why(r["reasons"]))
        for r in visit.read(work)
    )  # fmt: skip
    return download(visit, as_csv(heads.split(), rows), f"结算批次{run_id}.csv", "exported")


def submit(visit: Visit) -> Response:
    """Propose a draft for approval."""
    run_id = visit.path("id", NUMBER)
    visit.act("settle submit", lambda db, user: runs.submit(db, user, run_id))
    return visit.go(f"/runs/{run_id}", "已提交，待复核。")


def _decide(visit: Visit, right: str, verdict: str, said: str, typed: Mapping[str, Any]) -> Response:
    run_id = visit.path("id", NUMBER)
    done = visit.act(
        right,
        lambda db, user: runs.decide(db, user, run_id, verdict, why=typed.get("why") or "", digest=typed.get("digest")),
    )
    return visit.go("/runs" if done.state == "draft" else f"/runs/{run_id}", said)


def approve(visit: Visit) -> Response:
    """Approve the lines that were shown: their digest goes with it."""
    return _decide(visit, "approve", "approved", "已批准，补贴额已记入应付。", visit.fill({"digest": TEXT}))


def reject(visit: Visit) -> Response:
    """Send a run back, with a reason."""
    return _decide(visit, "reject", "rejected", "已退回，经办人员可以改正后重新起草。", visit.fill({"why": TEXT}))


def withdraw(visit: Visit) -> Response:
    """Take back one's own run or draft."""
    return _decide(visit, "settle withdraw", "withdrawn", "已撤回，可以重新起草。", {})


def verified(visit: Visit) -> Response:
    """Compute an approved run anew with the plain engine."""
    run_id = visit.path("id", NUMBER)
    found = visit.read(lambda db: verify.verify(db, run_id))
    return show(visit, "verified.html", run_id=run_id, differences=found)


def explained(visit: Visit) -> Response:
    """Show the 计算底稿 of an invoice, as known now or at an earlier moment."""
    return show(visit, "explanation.html", sheet=_sheet(visit), number=visit.path("number", TEXT))


def explained_file(visit: Visit) -> Response:
    """Give it as a page for printing."""
    return download(visit, typeset("sheet", _sheet(visit)), f"计算底稿-{visit.path('number', TEXT)}.pdf", "exported")


def _sheet(visit: Visit) -> dict[str, Any]:
    number, as_of = visit.path("number", TEXT), visit.asked("as_of", TEXT)
    return as_sheet(visit.read(lambda db: explain.explain(db, number, acts.cutoff(db, as_of))))


PAGES = (
    Page("/runs", listed, "view runs", nav="结算"),
    post("/runs", draft, "settle draft", listed),
    Page("/runs/{id}", shown, "view runs"),
    Page("/runs/{id}/lines.csv", exported, "export lines"),
    Page("/runs/{id}/verify", verified, "view runs"),
    post("/runs/{id}/submit", submit, "settle submit", shown),
    post("/runs/{id}/approve", approve, "approve", shown),
    post("/runs/{id}/reject", reject, "reject", shown),
    post("/runs/{id}/withdraw", withdraw, "settle withdraw", shown),
    Page("/explanations/{number}", explained, "view explanation"),
    Page("/explanations/{number}/sheet.pdf", explained_file, "export explanation"),
)

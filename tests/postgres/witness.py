"""Draft with the queries and with the plain engine on the same ledger, and let nothing differ."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from settlement import documents, engine, load
from settlement import run as runs
from settlement.facts import Facts
from settlement.policy import load as load_policy
from settlement.verify import verify
from tests.cases.player import policy_bytes
from tests.postgres.recorder import CHECKER, MAKER, PROGRAMME, uscc
from voucher.access import User
from voucher.reasons import reasons_of

SHIPPED = "cq-2025-12-08.1"
END = date(2028, 12, 31)
Told = list[tuple[Any, ...]]


def document(changes: Mapping[str, object], **header: str) -> bytes:
    """Return the shipped policy file with other values and another header (id, programme, supersedes).

    `categories` is given as TOML; `from` and `until` are days.
    """
    special = ("categories", "until")
    body = policy_bytes({name: value for name, value in changes.items() if name not in special}).decode()
    if "categories" in changes:
        body = re.sub(r"(?m)(^\[categories\]\nvalue = ).*$", rf"\g<1>{changes['categories']}", body)
    if "until" in changes:
        body = re.sub(r"(?m)^until = .*$", f"until = {changes['until']}", body)
    for key, value in header.items():
        line = f'{key} = "{value}"'
        body, found = re.subn(rf"(?m)^{key} = .*$", line, body)
        body = body if found else f"{line}\n{body}"
    return body.encode()


def record_document(db: Connection, changes: Mapping[str, object], **header: str) -> None:
    """Record a document as `document` makes it."""
    body = document(changes, **header)
    documents.record(db, load_policy(body), body, "system")


def draft(db: Connection, through: date = END, *, backfill: bool = False, user: User = MAKER) -> runs.Draft:
    """Draft with the queries and with the plain engine; they must agree on everything."""
    drafted = runs.draft(db, user, through, backfill=backfill, programme=PROGRAMME)
    facts = load.facts_at(db, PROGRAMME, drafted.cutoff)
    policies = documents.recorded(db, drafted.cutoff)
    plain = engine.draft(facts, policies, PROGRAMME, through, backfill=backfill)
    lines = runs.lines(db, drafted.run) if drafted.run else []
    expected = plain.lines
    if drafted.run and drafted.run.pro_rata:
        expected = engine.prorate(expected, sum(max(0, row["granted_fen"]) for row in lines))
    assert told_rows(lines) == told_lines(expected, facts)
    assert told_rows(drafted.held) == told_lines(plain.held, facts)
    assert told_rows(drafted.backfill) == told_lines(plain.backfill_listed, facts)
    if drafted.run:
        assert verify(db, drafted.run.run_id) == []
    return drafted


def settle(db: Connection, through: date = END, *, backfill: bool = False) -> runs.Run:
    """Draft with both engines, submit and approve."""
    drafted = draft(db, through, backfill=backfill)
    assert drafted.run is not None
    runs.submit(db, MAKER, drafted.run.run_id)
    return runs.decide(db, CHECKER, drafted.run.run_id, "approved")


def lines_of(db: Connection, drafted: runs.Draft) -> list[dict[str, Any]]:
    """List the lines of a draft, none when there is no run."""
    return runs.lines(db, drafted.run) if drafted.run else []


def told_rows(rows: Sequence[Mapping[str, Any]]) -> Told:
    """Write what the queries gave for comparison."""
    return [
        (
            *(row[name] for name in ("invoice_number", "company", "cap_year", "kind", "accepted_no")),
            *(row[f"{name}_fen"] for name in ("basis", "computed", "overlap_cut", "granted", "withheld")),
            row["budget_cut_fen"],
            tuple(row["policy_ids"]),
            reasons_of(row["reasons"]),
        )
        for row in rows
    ]


def told_lines(lines: Sequence[engine.Line], facts: Facts) -> Told:
    """Write what the plain engine gave for comparison."""
    numbers = {each.invoice_id: each.number for each in facts.invoices}
    return [
        (
            *(numbers[x.invoice_id], uscc(x.company), x.cap_year, x.kind, x.accepted_no),
            *(x.basis_fen, x.computed_fen, x.overlap_cut_fen, x.granted_fen, x.withheld_fen),
            *(x.budget_cut_fen, x.policy_ids, x.reasons),
        )
        for x in lines
    ]

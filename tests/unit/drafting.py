"""Draft runs over synthetic facts with the plain engine."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from settlement.engine import Draft, Line, draft
from settlement.facts import Facts, Invoice
from settlement.policy import Policy
from tests.cases import books
from tests.cases.histories import invoice, usual
from tests.cases.player import policy

POLICY = policy({})
CAP = POLICY.annual_cap_fen
END = date(2028, 12, 31)
MAY = date(2026, 5, 1), date(2026, 5, 31)


def run(facts: Facts, documents: Sequence[Policy] = (POLICY,), through: date = END, *, backfill: bool = False) -> Draft:
    return draft(facts, documents, POLICY.programme, through, backfill=backfill)


def served(facts: Facts, documents: Sequence[Policy] = (POLICY,), *, final: bool = False) -> Facts:
    """Return the facts after a run without backfill was approved."""
    return books.approve(facts, documents, POLICY.programme, run(facts, documents).lines, final=final)


def claims(*nets: int, paid_fen: int | None = None) -> Facts:
    """Return facts with plain invoices of May 2026, net in fen."""
    invoices = [invoice(place, net, *MAY, paid_fen=paid_fen) for place, net in enumerate(nets, 1)]
    return replace(usual(), invoices=invoices)


def more(facts: Facts, *invoices: Invoice) -> Facts:
    return replace(facts, invoices=[*facts.invoices, *invoices])


def told(lines: Sequence[Line]) -> list[tuple[int, str, int, int]]:
    return [(line.invoice_id, line.kind, line.granted_fen, line.withheld_fen) for line in lines]

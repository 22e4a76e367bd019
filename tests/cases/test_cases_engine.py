"""Play every worked example through the plain engine."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

import pytest

from settlement.engine import Draft, Line, draft, needed, prorate
from settlement.facts import (
    Contract,
    Facts,
    Invoice,
    InvoiceLine,
    Listing,
    Metering,
    Payment,
    Qualification,
    Refusal,
    Relation,
    RelationKind,
    Subsidy,
    VoucherState,
)
from settlement.policy import Policy
from tests.cases import books, player, steps
from voucher.days import inclusive, month_span
from voucher.reasons import Reason

KINDS: dict[str, RelationKind] = {"持股": "shareholding", "同一实控人": "common_control"}


@dataclass
class Engine:
    """Plays steps on facts in memory. Symbols get ids as they come; accepted invoices get 受理号 in order."""

    case: steps.Case
    facts: Facts = field(default_factory=Facts)
    ids: dict[str, int] = field(default_factory=dict)
    waiting: list[steps.InvoiceRow] = field(default_factory=list)
    acts: int = 0
    appropriated: int = 0

    def play(self) -> None:
        for step in self.case.steps:
            self.acts += 1
            if isinstance(step, steps.Settle):
                self.settle(step)
            elif isinstance(step, steps.Facts):
                self.take(step)

    def id(self, symbol: str) -> int:
        return self.ids.setdefault(symbol, len(self.ids) + 1)

    def take(self, step: steps.Facts) -> None:
        """Add the facts of a step, in the order of its fields."""
        self.registers(step)
        for row in step.invoices:
            self.accept(row)
        at = [(self.acts, place) for place in range(100)]
        subsidies = (
            Subsidy(steps.number(r.invoice), r.policy, r.amount_fen, r.waived, at[i])
            for i, r in enumerate(step.subsidies)
        )
        payments = (
            Payment(steps.number(r.invoice), r.on, r.reference, r.amount_fen, at[i])
            for i, r in enumerate(step.payments)
        )
        vouchers = (
            VoucherState(
                self.id(r.company),
                r.year,
                r.face_fen,
                r.face_fen,
                automatic=False,
                frozen=False,
                revoked=False,
            )
            for r in step.vouchers
        )
        refusals = (Refusal(steps.number(r.invoice), r.year, not r.lift, at[i]) for i, r in enumerate(step.refusals))
        contracts = (
            Contract(
                "HT-2026-001", self.id(r.provider), self.id(r.company), r.amount_fen, inclusive(r.first, r.last), at[i]
            )
            for i, r in enumerate(step.contracts)
        )
        meterings = (
            Metering(
                steps.number(r.invoice),
                r.gross,
                r.replaces,
                sum((yuan for _, yuan in r.days), Decimal(0)),
                r.days,
                at[i],
            )
            for i, r in enumerate(step.usage)
        )
        self.facts = replace(
            self.facts,
            subsidies=(*self.facts.subsidies, *subsidies),
            payments=(*self.facts.payments, *payments),
            vouchers=(*self.facts.vouchers, *vouchers),
            refusals=(*self.facts.refusals, *refusals),
            contracts=(*self.facts.contracts, *contracts),
            meterings=(*self.facts.meterings, *meterings),
        )
        self.appropriated += step.appropriate_fen or 0

    def registers(self, step: steps.Facts) -> None:
        """Add the rows of the three registers."""
        at = [(self.acts, place) for place in range(100)]
        qualifications = (
            Qualification(self.id(r.company), self.code(r.category), inclusive(r.first, r.last), at[i])
            for i, r in enumerate(step.companies)
        )
        listings = (
            Listing(self.id(r.provider), inclusive(r.first, r.last), at[i]) for i, r in enumerate(step.providers)
        )
        relations = (
            Relation(
                self.id(r.provider),
                self.id(r.company),
                KINDS[r.kind],
                r.share_bp,
                inclusive(r.first, r.last),
                at[i],
            )
            for i, r in enumerate(step.relations)
        )
        self.facts = replace(
            self.facts,
            qualifications=(*self.facts.qualifications, *qualifications),
            listings=(*self.facts.listings, *listings),
            relations=(*self.facts.relations, *relations),
        )

    def code(self, word: str) -> str:
        """Return the category's code, which the policy file declares."""
        return {name: code for code, name in self.policy().categories.items()}[word]

    def policy(self, step: steps.Settle | None = None) -> Policy:
        return player.policy({**self.case.policy, **(step.policy if step else {})})

    def accept(self, row: steps.InvoiceRow) -> None:
        """Accept an invoice, and after it those that waited for it."""
        if row.outcome == "rejected":
            return
        if row.outcome == "held":
            self.waiting.append(replace(row, outcome="accepted"))
            return
        self.facts = replace(self.facts, invoices=(*self.facts.invoices, self.invoice(row)))
        for held in [held for held in self.waiting if held.red_of == row.symbol]:
            self.waiting.remove(held)
            self.accept(held)

    def invoice(self, row: steps.InvoiceRow) -> Invoice:
        paid = [line.paid_fen for line in row.lines if line.paid_fen is not None]
        return Invoice(
            invoice_id=self.id(row.symbol),
            number=steps.number(row.symbol),
            kind="red" if row.red_of else "blue",
            original_number=steps.number(row.red_of) if row.red_of else None,
            company=self.id(row.company),
            provider=self.id(row.provider),
            accepted_no=len(self.facts.invoices) + 1,
            received_on=self.day(row),
            span=row.span,
            net_fen=sum(line.net_fen for line in row.lines),
            tax_fen=sum(line.tax_fen for line in row.lines),
            gross_fen=sum(line.gross_fen for line in row.lines),
            paid_fen=sum(paid) if paid else None,
            contract_no="HT-2026-001",
            lines=[InvoiceLine(i, line.tax_code, line.net_fen) for i, line in enumerate(row.lines, 1)],
        )

    def day(self, row: steps.InvoiceRow) -> date:
        """Return the day an invoice was handed in; a reissue that was taken has that of the one it names."""
        of = steps.number(row.reissue_of) if row.reissue_of else None
        return min([row.received_on, *(each.received_on for each in self.facts.invoices if each.number == of)])

    def settle(self, step: steps.Settle) -> None:
        """Draft, compare with what the case expects, and approve."""
        if step.room:
            assert self.room(step.room) == step.room.amount_fen
        policy = self.policy(step)
        through = month_span(step.through).last
        run = draft(self.facts, [policy], policy.programme, through, backfill=step.backfill)
        prorated = policy.over_budget == "pro_rata"
        lines = prorate(run.lines, self.available(run.lines)) if prorated and needed(run.lines) else run.lines
        self.compare(step, run, lines)
        assert step.gap_fen == (self.gap(lines) or None)
        if step.approve and not step.simulate and not step.refused and step.gap_fen is None:
            self.facts = books.approve(
                self.facts, [policy], policy.programme, lines, final=prorated and needed(lines) < needed(run.lines)
            )
        if step.total:
            total = books.granted(self.facts, self.id(step.total.company), step.total.year)
            assert total == step.total.amount_fen

    def available(self, lines: list[Line]) -> int:
        """Return the appropriation left, and this run's recoveries that return to it."""
        spent = sum(row.granted_fen for row in self.facts.served)
        return self.appropriated - spent - sum(line.granted_fen for line in lines if line.kind == "recovery")

    def gap(self, lines: list[Line]) -> int:
        return max(0, needed(lines) - self.available(lines)) if self.case.bounded else 0

    def room(self, asked: steps.YearAmount) -> int:
        for voucher in self.facts.vouchers:
            if (voucher.company, voucher.cap_year) == (self.id(asked.company), asked.year):
                return voucher.balance_fen
        return self.policy().annual_cap_fen

    def compare(self, step: steps.Settle, run: Draft, lines: list[Line]) -> None:
        symbols = {value: symbol for symbol, value in self.ids.items()}
        assert [(symbols[x.invoice_id], x.cap_year, x.kind) for x in lines] == [
            (x.invoice, x.year, x.kind) for x in step.lines
        ]
        for line, expected in zip(lines, step.lines, strict=True):
            same(line, expected)
        listed = [(symbols[x.invoice_id], x.cap_year, x.granted_fen) for x in run.backfill_listed]
        assert listed == list(step.backfill_listed)
        held = [(symbols[x.invoice_id], x.cap_year, x.reasons[-1].code) for x in run.held]
        assert held == list(step.held)
        left_out = [(symbols[x.invoice_id], {r.code: r.amount_fen for r in x.reasons}) for x in run.left_out]
        assert left_out == list(step.left_out)


def same(line: Line, expected: steps.Expected) -> None:
    """Compare a line with what is expected of it; what is not given is not compared."""
    amounts = line.granted_fen, line.withheld_fen, line.overlap_cut_fen, line.budget_cut_fen
    assert amounts == (
        expected.granted_fen,
        expected.withheld_fen,
        expected.overlap_cut_fen,
        expected.budget_cut_fen,
    )
    assert expected.basis_fen in (None, line.basis_fen)
    assert expected.computed_fen in (None, line.computed_fen)
    if expected.reasons is not None:
        assert list(line.reasons) == [Reason(code, *figures) for code, figures in expected.reasons.items()]
    if line.kind == "grant":
        whole = line.overlap_cut_fen + line.withheld_fen + line.budget_cut_fen + line.granted_fen
        assert line.computed_fen == whole


@pytest.mark.parametrize("case", player.cases(), ids=str)
def test_the_engine_gives_what_the_worked_example_says(case: steps.Case) -> None:
    Engine(case).play()

"""What an invoice is worth: its days, its basis, its slices by year, and what other subsidies leave of it.

This is the plain second witness of the settlement queries: one invoice at a time, integers only, written
to be read beside DESIGN section 6 and followed by hand. All amounts are fen.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Protocol, TypeVar

from settlement.facts import (
    At,
    Contract,
    Facts,
    Invoice,
    Listing,
    Metering,
    Qualification,
    Refusal,
    Relation,
)
from settlement.holding import Documents, belongs
from settlement.policy import Policy, governing
from settlement.slicing import Log, intersect, share, subtract, union
from voucher.days import Span, year_span
from voucher.money import Fen
from voucher.reasons import Reason, in_order


class Row(Protocol):
    """A registry row."""

    @property
    def at(self) -> At:
        """When it was written."""


AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True, slots=True)
class Piece:
    """Days of one cap year and one document. reason None: they count; document None: none is in force."""

    span: Span
    cap_year: int
    document: Policy | None
    reason: str | None
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class Bill:
    """A blue invoice with its red-letters, weighed for one programme; its pieces add up to basis_fen.

    document: the one that gives tax codes, basis and overlap mode; None when none covers a service day.
    limit: the code of what makes basis_fen less than eligible_net_fen. other_fen: other subsidies.
    reversed_fen, corrected_fen: what red-letters, and documents that were settled on, took from the net.
    log: how the usage spreads over the days of the span, None without usage of these days.
    outside: not one line of the invoice belongs to the programme, so it has no claim there.
    """

    invoice: Invoice
    span: Span
    document: Policy | None
    eligible_net_fen: Fen
    excluded_net_fen: Fen
    basis_fen: Fen
    limit: str
    other_fen: Fen
    pieces: tuple[Piece, ...]
    outside: bool = False
    log: Log | None = None
    reversed_fen: Fen = 0
    corrected_fen: Fen = 0

    def counted(self, year: int) -> list[Piece]:
        """Return the pieces of the cap year that count."""
        return [piece for piece in self.pieces if piece.reason is None and piece.cap_year == year]

    @property
    def years(self) -> set[int]:
        """Cap years of which the invoice has a claim."""
        return set() if self.outside else {piece.cap_year for piece in self.pieces if piece.reason is None}

    def reasons(self, days: Span, extra: Iterable[Reason] = ()) -> tuple[Reason, ...]:
        """Return why parts of these service days do not count, one per code, in the order of SENTENCES.

        days: the whole span or a cap year. extra: reasons that concern the amount and not the days.
        """
        sums: dict[str, Fen] = defaultdict(int)
        for piece in self.pieces:
            if piece.reason is not None and (piece.span & days).days:
                sums[piece.reason] += piece.amount_fen
        part = self.span & days
        if part.days:
            for code, amount in (
                ("tax_code_not_eligible", self.excluded_net_fen),
                ("red_letter", self.reversed_fen),
                ("corrected", self.corrected_fen),
                (self.limit, self.eligible_net_fen - self.basis_fen),
            ):
                sums[code] += share(max(0, amount), self.span, part, self.log)
        found = [Reason(code, amount) for code, amount in sums.items() if amount]
        return in_order([*found, *extra])


class Registers:
    """The registers as they hold now: of the rows of one key the newest, and what is looked up in them.

    cuts: service days that were cut before, since a company's invoices of a month are many and their days the same.
    """

    def __init__(self, facts: Facts) -> None:
        self._qualified: dict[int, list[Qualification]] = defaultdict(list)
        self._listed: dict[int, list[Listing]] = defaultdict(list)
        self._related: dict[tuple[int, int], list[Relation]] = defaultdict(list)
        self._other: dict[str, Fen] = defaultdict(int)
        self._paid: dict[str, Fen] = {}
        self._reds: dict[str, list[Invoice]] = defaultdict(list)
        self.cuts: dict[Hashable, list[Piece]] = {}
        for row in _newest(facts.qualifications, lambda r: (r.company, r.category, r.span.start)):
            self._qualified[row.company].append(row)
        for listing in _newest(facts.listings, lambda r: (r.provider, r.span.start)):
            self._listed[listing.provider].append(listing)
        for relation in _newest(facts.relations, lambda r: (r.provider, r.company, r.kind, r.span.start)):
            self._related[relation.provider, relation.company].append(relation)
        for subsidy in _newest(facts.subsidies, lambda r: (r.invoice_number, r.policy_name)):
            self._other[subsidy.invoice_number] += 0 if subsidy.waived else subsidy.amount_fen
        for payment in _newest(facts.payments, lambda r: (r.invoice_number, r.paid_on, r.reference)):
            number = payment.invoice_number
            self._paid[number] = self._paid.get(number, 0) + payment.amount_fen
        self._verified = {
            row.invoice_number: row.passed for row in sorted(facts.verifications, key=lambda r: (r.checked_on, r.at))
        }
        for invoice in facts.invoices:
            if invoice.kind == "red" and invoice.original_number is not None:
                self._reds[invoice.original_number].append(invoice)
        self._contracted = self._contracts(facts)
        self._meterings: dict[str, list[Metering]] = defaultdict(list)
        for metering in sorted(facts.meterings, key=lambda row: row.at):
            counting = self._meterings[metering.invoice_number]
            if metering.replaces:
                counting.clear()
            counting.append(metering)
        self._refusals: dict[str, list[Refusal]] = defaultdict(list)
        for refusal in sorted(facts.refusals, key=lambda row: row.at):
            self._refusals[refusal.invoice_number].append(refusal)

    def _contracts(self, facts: Facts) -> dict[str, tuple[Fen, Fen]]:
        """Return by invoice number what its contract is about, and what all earlier invoices have used of it."""
        rows: dict[tuple[str, int, int], list[Contract]] = defaultdict(list)
        for row in _newest(facts.contracts, lambda r: (r.contract_no, r.provider, r.company, r.span.start)):
            rows[row.contract_no, row.provider, row.company].append(row)
        used: dict[Contract, Fen] = defaultdict(int)
        found: dict[str, tuple[Fen, Fen]] = {}
        blues = (invoice for invoice in facts.invoices if invoice.kind == "blue")
        for invoice in sorted(blues, key=lambda each: each.accepted_no) if rows else ():
            assert invoice.span is not None
            of = rows.get((invoice.contract_no, invoice.provider, invoice.company), ())
            for contract in sorted((row for row in of if invoice.span.start in row.span), key=lambda r: r.span)[-1:]:
                found[invoice.number] = contract.amount_fen, used[contract]
                used[contract] += sum(each.gross_fen for each in self.with_reds(invoice))
        return found

    def qualified(self, company: int, document: Policy) -> list[Span]:
        """Return the days on which the company has one of the document's categories."""
        return union(row.span for row in self._qualified.get(company, ()) if row.category in document.categories)

    def listed(self, provider: int) -> list[Span]:
        """Return the days on which the provider is on the list."""
        return union(row.span for row in self._listed.get(provider, ()))

    def related(self, provider: int, company: int, document: Policy) -> list[Span]:
        """Return the days on which both are related: common control, or a share at or above the threshold."""
        return union(
            row.span
            for row in self._related.get((provider, company), ())
            if row.kind == "common_control" or row.share_bp >= document.related_party_share_bp
        )

    def other(self, invoice: Invoice) -> Fen:
        """Return what the invoice got elsewhere and did not give up."""
        return max(0, self._other.get(invoice.number, 0))

    def verified(self, invoice: Invoice) -> bool:
        """Tell whether the tax platform's last word on the invoice was that it is the same."""
        return self._verified.get(invoice.number, False)

    def contracted(self, invoice: Invoice) -> tuple[Fen, Fen] | None:
        """Return the amount of the invoice's contract and what earlier invoices have used of it, both gross."""
        return self._contracted.get(invoice.number)

    def contract_left(self, invoice: Invoice) -> Fen | None:
        """Return what is left of the invoice's contract before it, gross; None when no contract limits it."""
        found = self.contracted(invoice)
        return None if found is None else max(0, found[0] - found[1])

    def metered(self, invoice: Invoice, *, gross: bool) -> Fen | None:
        """Return what is metered of an invoice, net or gross, None when no file says so; rounded to whole fen.

        ASSUMPTION: a red-letter takes nothing from it: it puts the bill right, and not what was used. What was used
        less than metered is said by a file of usage that adds negative lines or replaces the earlier one.
        """
        pico = [_pico(row.metered_yuan) for row in self._meterings.get(invoice.number, ()) if row.gross == gross]
        whole = sum(pico)
        fen = (abs(whole) + _FEN // 2) // _FEN
        return None if not pico else fen if whole >= 0 else -fen

    def usage_differs(self, invoice: Invoice, tolerance: Fen) -> Fen | None:
        """Return what is metered of an invoice if that is further from its amount with its red-letters, else None."""
        whole = self.with_reds(invoice)
        sums = (
            (self.metered(invoice, gross=False), sum(each.net_fen for each in whole)),
            (self.metered(invoice, gross=True), sum(each.gross_fen for each in whole)),
        )
        gaps = [(abs(metered - amount), metered) for metered, amount in sums if metered is not None]
        gap, furthest = max(gaps, key=lambda each: each[0], default=(0, None))
        return furthest if gap > tolerance else None

    def log(self, invoice: Invoice) -> Log | None:
        """Return how the usage spreads over the service days, None when none of it lies there.

        ASSUMPTION: usage outside the service days, and a day with more credited than used, weigh nothing.
        """
        assert invoice.span is not None
        rows = self._meterings.get(invoice.number)
        if not rows:
            return None
        weights = [0] * invoice.span.days
        for row in rows:
            for day, yuan in row.days:
                if day in invoice.span:
                    weights[(day - invoice.span.start).days] += _pico(yuan)
        log = [0, *accumulate(max(0, weight) for weight in weights)]
        return log if log[-1] else None

    def refused(self, invoice: Invoice, year: int) -> bool:
        """Tell whether the newest decision about the invoice's year refuses it."""
        spoken = [row for row in self._refusals.get(invoice.number, ()) if row.cap_year in (None, year)]
        return bool(spoken) and spoken[-1].refused

    def with_reds(self, invoice: Invoice) -> list[Invoice]:
        """Return the invoice and its red-letters."""
        return [invoice, *self._reds.get(invoice.number, ())]

    def paid(self, invoice: Invoice) -> Fen | None:
        """Return what is paid of an invoice and its red-letters, gross; None when nothing was ever given."""
        cells = [each.paid_fen for each in self.with_reds(invoice) if each.paid_fen is not None]
        register = self._paid.get(invoice.number)
        return None if register is None and not cells else sum(cells) + (register or 0)


PLACES = 12
"""Decimals of a yuan that metered amounts may have."""
_FEN = 10 ** (PLACES - 2)


def _pico(yuan: Decimal) -> int:
    """Return an amount as a whole number of its smallest parts, 10⁻¹² yuan."""
    return int(yuan.scaleb(PLACES))


def _newest(rows: Iterable[AnyRow], key: Callable[[AnyRow], Hashable]) -> list[AnyRow]:
    """Return per key the row that was written last."""
    return list({key(row): row for row in sorted(rows, key=lambda row: row.at)}.values())


def weigh(registers: Registers, documents: Documents, programme: str, invoice: Invoice) -> Bill:
    """Weigh a blue invoice for one programme.

    documents: those of all programmes in force, so that a line goes to one of them only.
    The days decide the document, the document the eligible lines, the lines and the limits the basis.
    """
    assert invoice.span is not None
    assert invoice.kind == "blue"
    span = invoice.span
    cuts = cut_days(registers, [entry for entry in documents if entry[0].programme == programme], invoice)
    document, day = _document_of(cuts, span)
    whole = registers.with_reds(invoice)
    lines = [line for each in whole for line in each.lines]
    own = {line.tax_code for line in lines if belongs(line.tax_code, document, documents, span.start, day)}
    excluded = max(0, sum(line.net_fen for line in lines if line.tax_code not in own))
    eligible = max(0, sum(line.net_fen for line in lines) - excluded)
    gross = sum(each.gross_fen for each in whole)
    limits = {
        "unpaid": registers.paid(invoice),
        "over_contract": registers.contract_left(invoice),
        "over_metered": registers.metered(invoice, gross=True),
    }
    basis, limit = _basis(eligible, gross, limits, registers.metered(invoice, gross=False))
    log = registers.log(invoice)
    pieces = (Piece(p.span, p.cap_year, p.document, p.reason, share(basis, span, p.span, log)) for p in cuts)
    outside = not any(line.tax_code in own for line in invoice.lines)
    other = registers.other(invoice)
    less = -sum(each.net_fen for each in whole[1:]), -invoice.corrected_fen
    return Bill(invoice, span, document, eligible, excluded, basis, limit, other, tuple(pieces), outside, log, *less)


def cut_days(registers: Registers, own: Documents, invoice: Invoice) -> list[Piece]:
    """Cut the service span by cap year, document and the first reason that takes a day out; no amounts yet.

    own: the programme's documents in order of their days.
    """
    key = (*(document.id for document, _ in own), invoice.company, invoice.provider, invoice.span, invoice.received_on)
    if key not in registers.cuts:
        registers.cuts[key] = _cut_days(registers, own, invoice)
    return registers.cuts[key]


def _cut_days(registers: Registers, own: Documents, invoice: Invoice) -> list[Piece]:
    assert invoice.span is not None
    assert own
    cuts = []
    for year in range(invoice.span.start.year, invoice.span.last.year + 1):
        part = [invoice.span & year_span(year)]
        for gap in subtract(part, [force for _, force in own]):
            reason = "before_policy" if gap.start < own[0][1].start else "after_policy"
            cuts.append(Piece(gap, year, None, reason, 0))
        policy = governing(own, year)
        late = "past_claim_deadline" if policy and invoice.received_on > policy.deadline(year) else None
        for document, force in own:
            left = intersect(part, [force])
            for reason, out in (
                ("not_qualified", subtract(left, registers.qualified(invoice.company, document))),
                ("not_listed", subtract(left, registers.listed(invoice.provider))),
                ("related_party", registers.related(invoice.provider, invoice.company, document)),
            ):
                cuts += [Piece(span, year, document, reason, 0) for span in intersect(left, out)]
                left = subtract(left, out)
            cuts += [Piece(span, year, document, late, 0) for span in left]
    return sorted(cuts, key=lambda piece: piece.span)


def _document_of(cuts: Sequence[Piece], span: Span) -> tuple[Policy | None, date]:
    """Return the document in force on the first eligible day, and that day.

    ASSUMPTION: without an eligible day, the first service day with a document decides (only reasons hang
    on it); without one, every line counts as the programme's.
    """
    for piece in [*(cut for cut in cuts if cut.reason is None), *(cut for cut in cuts if cut.document)]:
        return piece.document, piece.span.start
    return None, span.start


def _basis(eligible: Fen, gross: Fen, limits: Mapping[str, Fen | None], metered_net: Fen | None) -> tuple[Fen, str]:
    """Scale the eligible net by the least of the gross limits, then cut it to what is metered; name what limits it.

    limits: gross, by the code of what each cuts; of equal ones, and of those that leave nothing, the first is named.
    metered_net: a plain minimum.
    The one place for `amount_basis` (net is the only one) and for further limits; None does not limit.
    Source: DESIGN 6.1, ⌊eligible_net · min(gross, paid, contract left) / gross⌋, 0 when nothing is left.
    """
    given = {code: limit for code, limit in limits.items() if limit is not None}
    code = min(given, key=lambda each: max(0, given[each])) if given else "unpaid"
    basis = eligible
    if given:
        least = given[code]
        basis = 0 if gross <= 0 or least <= 0 else eligible * min(gross, least) // gross
    if metered_net is not None and max(0, metered_net) < basis:
        return max(0, metered_net), "over_metered"
    return basis, code


def after_overlap(bill: Bill, year: int, basis: Fen, computed: Fen, granted: Fen | None) -> tuple[Fen, Fen, str]:
    """Compare a claim with the other subsidies of its days.

    basis: its slices. granted: so far, None for a new claim.
    Returns its worth, the other subsidies' share, and other_subsidy_undecided (a new claim that waits),
    overlap_open (a granted one that waits) or nothing.

    Source: DESIGN 6.5, “从优、就高、不重复”.
    """
    other = sum(share(bill.other_fen, bill.span, piece.span, bill.log) for piece in bill.counted(year))
    document = bill.document
    if document is not None and document.overlap == "top_up":
        return max(0, computed - other), other, ""
    if document is not None and document.overlap == "joint_limit":
        limit = basis * (document.joint_limit_bp or 0) // 10_000
        return min(computed, max(0, limit - other)), other, ""
    if other == 0:
        return computed, other, ""
    if other >= computed:
        return 0, other, ""
    if granted is None:
        return computed, other, "other_subsidy_undecided"
    return min(computed, granted), other, "overlap_open"

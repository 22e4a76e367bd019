"""The second witness: compute the lines of a settlement run one claim at a time, in plain Python.

The set-based queries do the work and must give exactly these lines. A claim is an invoice, a programme and
a cap year; recovery, backfill and grant are the signs of its worth less what was granted. Amounts are fen.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from settlement.facts import Facts, LineKind, Served, Standing, VoucherState
from settlement.holding import Documents
from settlement.policy import Policy, governing, in_force
from settlement.worth import Bill, Registers, after_overlap, weigh
from voucher.days import year_span
from voucher.money import Fen
from voucher.reasons import Reason, in_order

KINDS: tuple[LineKind, ...] = ("recovery", "backfill", "grant")
"""The order of a run, and of the lines of a company-year."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a run. granted_fen is negative on recovery.

    On grant lines computed − overlap_cut − withheld − budget_cut = granted; on backfill lines withheld is
    what is still short. policy_ids: the documents its days count under, sorted.
    """

    invoice_id: int
    cap_year: int
    kind: LineKind
    basis_fen: Fen
    computed_fen: Fen
    overlap_cut_fen: Fen
    granted_fen: Fen
    withheld_fen: Fen
    budget_cut_fen: Fen
    policy_ids: tuple[str, ...]
    reasons: tuple[Reason, ...]
    company: int
    accepted_no: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An invoice without one eligible day or line that was never settled, and why."""

    invoice_id: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim, computed. granted_fen: so far, None for a new claim.

    served_fen: granted plus what pro-rata runs cut for good. cuts: why worth is below computed.
    holds: why a new claim waits, or a granted one is not paid (overlap_open).
    """

    bill: Bill
    cap_year: int
    basis_fen: Fen
    computed_fen: Fen
    worth_fen: Fen
    granted_fen: Fen | None
    served_fen: Fen
    policy_ids: tuple[str, ...]
    cuts: tuple[Reason, ...]
    holds: tuple[Reason, ...]

    def line(self, kind: LineKind, granted: Fen, withheld: Fen = 0, holds: Iterable[Reason] = ()) -> Line:
        """Write a line of this claim; what was granted too much is the reason of a recovery."""
        over = [Reason("over_cap", withheld)] if withheld else []
        if kind == "recovery":
            over.append(Reason("over_granted", -granted, self.granted_fen))
        return Line(
            invoice_id=self.bill.invoice.invoice_id,
            cap_year=self.cap_year,
            kind=kind,
            basis_fen=self.basis_fen,
            computed_fen=self.computed_fen,
            overlap_cut_fen=self.computed_fen - self.worth_fen,
            granted_fen=granted,
            withheld_fen=withheld,
            budget_cut_fen=0,
            policy_ids=self.policy_ids,
            reasons=self.bill.reasons(year_span(self.cap_year), (*self.cuts, *over, *holds)),
            company=self.bill.invoice.company,
            accepted_no=self.bill.invoice.accepted_no,
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """What a run would do. backfill_listed: what --backfill would add. held: what waits for a person.

    claims: all that were computed, whether a line comes of them or not.
    """

    lines: list[Line]
    backfill_listed: list[Line]
    held: list[Line]
    left_out: list[LeftOut]
    claims: list[Claim]


def draft(facts: Facts, policies: Iterable[Policy], programme: str, through: date, *, backfill: bool) -> Draft:
    """Compute a run of one programme over all company-years.

    policies: the recorded documents of all programmes. through: last day of a month; filters new claims only.
    """
    documents = in_force(policies)
    own = [entry for entry in documents if entry[0].programme == programme]
    registers = Registers(facts)
    served: dict[tuple[int, int], list[Served]] = defaultdict(list)
    for row in facts.served:
        served[row.invoice_id, row.cap_year].append(row)
    vouchers = {(voucher.company, voucher.cap_year): voucher for voucher in facts.vouchers}
    standings = {standing.company: standing for standing in facts.standings}
    result = Draft([], [], [], [], [])
    for (company, year), bills in _by_company_year(facts, registers, documents, programme, result).items():
        policy = governing(own, year)
        spend = sum(piece.amount_fen for bill in bills for piece in bill.counted(year))
        short = Reason("below_min_spend", 0, spend) if policy and spend < policy.min_spend_fen else None
        claims = []
        for bill in bills:
            gone = registers.refused(bill.invoice, year)
            before = served[bill.invoice.invoice_id, year]
            waits = [] if before else _unproved(bill, registers)
            claims.append(_claim(bill, year, own, before, gone, short, waits))
        result.claims.extend(claims)
        room = room_of(vouchers.get((company, year)), policy, year, standings.get(company))
        _settle(claims, room, through, backfill, result)
    for lines in (result.lines, result.backfill_listed, result.held):
        lines.sort(key=lambda line: (line.company, line.cap_year, KINDS.index(line.kind), line.accepted_no))
    return result


def _by_company_year(
    facts: Facts, registers: Registers, documents: Documents, programme: str, result: Draft
) -> dict[tuple[int, int], list[Bill]]:
    """Weigh all invoices; return those with a claim by company and cap year, in acceptance order."""
    settled: dict[int, set[int]] = defaultdict(set)
    for row in facts.served:
        settled[row.invoice_id].add(row.cap_year)
    years: dict[tuple[int, int], list[Bill]] = defaultdict(list)
    blues = (invoice for invoice in facts.invoices if invoice.kind == "blue")
    for invoice in sorted(blues, key=lambda each: each.accepted_no):
        bill = weigh(registers, documents, programme, invoice)
        claimed = bill.years | settled[invoice.invoice_id]
        for year in claimed:
            years[invoice.company, year].append(bill)
        if not claimed:
            result.left_out.append(LeftOut(invoice.invoice_id, bill.reasons(bill.span)))
    return dict(sorted(years.items()))


def _claim(
    bill: Bill,
    year: int,
    own: Documents,
    served: Sequence[Served],
    refused: bool,
    short: Reason | None,
    unproved: Sequence[Reason],
) -> Claim:
    """Compute one claim from its bill.

    own: the programme's documents. served: the claim's lines in approved runs. refused: by an approved act.
    short: set when the company-year is below the minimum spend. unproved: what a new claim waits for, without amount.
    """
    counted = [(piece.amount_fen, piece.document) for piece in bill.counted(year) if piece.document]
    basis = sum(amount for amount, _ in counted)
    computed = sum(amount * document.rate_bp for amount, document in counted) // 10_000
    granted = sum(row.granted_fen for row in served) if served else None
    final = sum(row.withheld_fen + row.budget_cut_fen for row in served if row.final)
    worth, other, state = after_overlap(bill, year, basis, computed, granted)
    cuts, holds = [Reason("other_subsidy", computed - worth, other)], []
    if refused:
        cuts.append(Reason("refused", worth))
        worth, state = 0, ""
    if state:
        holds.append(Reason(state, computed if granted is None else granted, other))
    if short and granted is None:
        holds.append(replace(short, amount_fen=worth))
    elif short:
        cuts.append(replace(short, amount_fen=worth))
        worth = 0
    holds += [replace(reason, amount_fen=worth) for reason in unproved]
    ids = {document.id for _, document in counted}
    ids = ids or {document.id for document, force in own if (force & year_span(year)).days}
    ids = ids or {own[-1][0].id}  # the year is no longer covered: the last document says so by its end
    return Claim(
        bill=bill,
        cap_year=year,
        basis_fen=basis,
        computed_fen=computed,
        worth_fen=worth,
        granted_fen=granted,
        served_fen=(granted or 0) + final,
        policy_ids=tuple(sorted(ids)),
        cuts=tuple(cut for cut in cuts if cut.amount_fen),
        holds=tuple(holds),
    )


def _unproved(bill: Bill, registers: Registers) -> list[Reason]:
    """Return what the document wants proved before a new claim of this bill is granted, without amounts.

    ASSUMPTION: what was granted before is not taken back for want of a proof; a person refuses it.
    """
    found = []
    document = bill.document
    if document and document.tax_verification == "required" and not registers.verified(bill.invoice):
        found.append(Reason("not_verified", 0))
    if document and document.usage_sum == "hold":
        metered = registers.usage_differs(bill.invoice, document.usage_sum_tolerance_fen)
        if metered is not None:
            found.append(Reason("usage_sum_differs", 0, metered))
    return found


@dataclass(frozen=True, slots=True)
class Room:
    """What may still be granted to a company in a year, before a run's recoveries.

    left_fen: below zero by what an amended cap is now below what was granted, and by what companies merged into this
    one had been granted above what was left; recoveries fill that first.
    closed: revoked, expired, returned, or the company was merged into another.
    """

    left_fen: Fen
    frozen: bool = False
    closed: bool = False


def room_of(voucher: VoucherState | None, policy: Policy | None, year: int, standing: Standing | None) -> Room:
    """Read the room off the voucher, or off the one that would be issued; none is left of what is closed.

    policy: the one that governs the cap year. The face of an automatic voucher follows its cap; one set by hand stays,
    and grants nothing above a cap that was amended since.
    """
    frozen = standing is not None and standing.frozen
    closed = standing is not None and standing.closed_from is not None and standing.closed_from <= year
    cap = policy.annual_cap_fen if policy else 0
    left = cap if policy and policy.issuance == "automatic" else 0
    if voucher is not None:
        face = cap if voucher.automatic else min(cap, voucher.face_fen)
        left = face - (voucher.face_fen - voucher.balance_fen) - voucher.over_fen
        frozen, closed = frozen or voucher.frozen, closed or voucher.revoked
    return Room(0 if closed else left, frozen, closed)


def _settle(claims: Sequence[Claim], room: Room, through: date, backfill: bool, result: Draft) -> None:
    """Add the lines of one company-year: recoveries, then backfill, then grants, each in acceptance order."""
    settled = [claim for claim in claims if claim.granted_fen is not None]
    new = [claim for claim in claims if claim.granted_fen is None]
    left = room.left_fen
    for claim in settled:
        recovery = max(0, (claim.granted_fen or 0) - claim.worth_fen)
        if recovery:
            result.lines.append(claim.line("recovery", -recovery))
        if claim.holds:
            result.held.append(claim.line("grant", 0, holds=claim.holds))
        left += 0 if room.closed else recovery
    left = max(0, left)
    for claim in settled:
        wanted = max(0, claim.worth_fen - claim.served_fen)
        taken = min(wanted, left)
        if taken and room.frozen:
            result.held.append(claim.line("backfill", 0, holds=[Reason("frozen", taken)]))
        elif taken:
            lines = result.lines if backfill else result.backfill_listed
            lines.append(claim.line("backfill", taken, wanted - taken))
        left -= taken
    for claim in new:
        if claim.bill.counted(claim.cap_year)[-1].span.last > through:
            continue
        holds = [*claim.holds, *([Reason("frozen", claim.worth_fen)] if room.frozen else [])]
        if holds:
            result.held.append(claim.line("grant", 0, holds=holds))
            continue
        taken = min(claim.worth_fen, left)
        result.lines.append(claim.line("grant", taken, claim.worth_fen - taken))
        left -= taken


def needed(lines: Iterable[Line]) -> Fen:
    """Return what a run takes from the appropriation: its grants and backfills."""
    return sum(line.granted_fen for line in lines if line.kind != "recovery")


Taker = tuple[int, int, Fen]
"""A line that takes from the appropriation: acceptance number, cap year, fen."""


def takers(lines: Iterable[Line]) -> list[Taker]:
    """List what takes from the appropriation: grants and backfills."""
    return [(line.accepted_no, line.cap_year, line.granted_fen) for line in lines if line.kind != "recovery"]


def shares(wanted: Iterable[Taker], available: Fen) -> dict[tuple[int, int], Fen]:
    """Share what is available over all lines of a run, the remaining fen one each by acceptance number.

    available: fen, the appropriation plus the run's recoveries that return to it; nothing is refused before.
    Returns fen by acceptance number and cap year. Source: DESIGN 6.8, ⌊line·available/needed⌋.
    """
    assert available > 0
    ordered = sorted(wanted)
    total = sum(fen for _, _, fen in ordered)
    if total <= available:
        return {(number, year): fen for number, year, fen in ordered}
    shared = {(number, year): fen * available // total for number, year, fen in ordered}
    left = available - sum(shared.values())
    for number, year, fen in ordered:
        if left and shared[number, year] < fen:
            shared[number, year] += 1
            left -= 1
    return shared


def share_out(lines: Iterable[Line], shared: Mapping[tuple[int, int], Fen]) -> list[Line]:
    """Cut grants and backfills to their shares."""
    return [x if x.kind == "recovery" else _cut(x, shared[x.accepted_no, x.cap_year]) for x in lines]


def prorate(lines: Sequence[Line], available: Fen) -> list[Line]:
    """Cut the grants and backfills of a whole run to what is available."""
    return share_out(lines, shares(takers(lines), available))


def _cut(line: Line, granted: Fen) -> Line:
    """Grant less than the line had, and say so."""
    cut = line.granted_fen - granted
    why = [Reason("over_budget", cut)] if cut else []
    return replace(line, granted_fen=granted, budget_cut_fen=cut, reasons=in_order([*line.reasons, *why]))

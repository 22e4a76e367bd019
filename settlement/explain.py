"""Explain one invoice: recompute it in plain Python at a cutoff and set its stored lines beside it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from settlement import documents, engine
from settlement.clauses import PARAMETERS as APPLIED
from settlement.clauses import YEARLY, clause, grounds, ruling
from settlement.explain_room import room_at
from settlement.explain_text import as_text, told
from settlement.explanation import (
    Booking,
    Document,
    Explanation,
    Item,
    Later,
    Part,
    Party,
    Piece,
    Slice,
    Why,
    Year,
    as_json,
)
from settlement.facts import Invoice, InvoiceLine
from settlement.holding import Documents
from settlement.load import facts_at
from settlement.policy import Policy, governing, in_force
from settlement.policy_words import PARAMETERS, written
from settlement.worth import PLACES, Bill, Registers, after_overlap, weigh
from voucher.database import one, query
from voucher.days import OPEN_END, Span
from voucher.errors import Refused
from voucher.money import format_yuan
from voucher.reasons import Reason, reasons_of, sentence

__all__ = ["as_json", "as_text", "explain"]
_RULES = (
    "rate_bp", "annual_cap_fen", "amount_basis", "cap_year_by", "rounding", "overlap", "eligible_tax_codes",
)  # fmt: skip
"""The parameters every explanation shows; others when a reason applies them."""
_OUTCOMES = {"held": "待核", "rejected": "未受理", "conflict": "与已受理发票冲突", "duplicate": "重复"}


def explain(db: Connection, number: str, cutoff: int) -> Explanation:
    """Explain an invoice as known at a seal number; a red-letter is explained with the one it reverses.

    Raises Refused (`no_invoice`) for a number that was not accepted, saying where it waits or failed.
    """
    head = one(db, "queries/facts/invoice.sql", number=number, cutoff=cutoff)
    if head is None:
        raise Refused("no_invoice", _missing(db, number, cutoff))
    if head["kind"] == "red":
        return replace(explain(db, head["original_number"], cutoff), asked=number)
    policies = documents.recorded(db, cutoff)
    parts = [
        _part(db, head, policies, programme, cutoff) for programme in sorted({policy.programme for policy in policies})
    ]
    return Explanation(
        asked=number,
        number=number,
        cutoff=cutoff,
        accepted_no=head["accepted_no"],
        issued_on=head["issued_on"],
        received_on=head["received_on"],
        original=head["original_number"] or "",
        first_on=head["from_on"],
        last_on=head["until_on"],
        company=Party(head["company"], head["company_name"]),
        provider=Party(head["provider"], head["provider_name"]),
        net_fen=head["net_fen"],
        tax_fen=head["tax_fen"],
        gross_fen=head["gross_fen"],
        parts=[part for part in parts if part.years or any(item.counts for item in part.items)] or parts,
        later=_later(db, head, cutoff, several=len(parts) > 1),
    )


def _missing(db: Connection, number: str, cutoff: int) -> str:
    """Say why there is no such invoice, and where to look."""
    row = one(db, "queries/facts/unaccepted.sql", number=number, cutoff=cutoff)
    if row is None:
        return f"没有发票号码为“{number}”的已受理发票。请核对号码，或先用 cvl import 导入。"
    place = f"第{row['upload_id']}号上传“{row['file_name']}”第{row['row_no']}行"
    return f"发票 {number} {_OUTCOMES[row['outcome']]}（{place}）。{row['message']}"


def _part(db: Connection, head: Mapping[str, Any], policies: Sequence[Policy], programme: str, cutoff: int) -> Part:
    """Explain what one programme makes of the invoice."""
    company = head["company_id"]
    facts = facts_at(db, programme, cutoff, (company, company))
    force = in_force(policies)
    own = [entry for entry in force if entry[0].programme == programme]
    registers = Registers(facts)
    invoice = next(each for each in facts.invoices if each.invoice_id == head["invoice_id"])
    bill = weigh(registers, force, programme, invoice)
    ask = {"company_id": company, "invoice_id": invoice.invoice_id, "programme": programme, "cutoff": cutoff}
    booked = query(db, "queries/facts/bookings.sql", **ask)
    settled = {row["cap_year"] for row in booked if row["state"] == "approved"}
    claimed = bill.years | settled
    years = sorted(claimed | {row["cap_year"] for row in booked})
    drafted = engine.draft(facts, policies, programme, OPEN_END, backfill=False)
    rows = query(db, "queries/facts/items.sql", number=head["number"], cutoff=cutoff)
    contract, contract_used = registers.contracted(invoice) or (None, None)
    gross = _shows_gross(registers, bill)
    return Part(
        programme=programme,
        documents=_documents(bill, own, years, _applied(bill, drafted, booked)),
        items=[_item(row, registers, force, programme, invoice) for row in rows],
        eligible_net_fen=bill.eligible_net_fen,
        gross_fen=sum(each.gross_fen for each in registers.with_reds(invoice)),
        paid_fen=registers.paid(invoice),
        contract_no=invoice.contract_no,
        contract_fen=contract,
        contract_used_fen=contract_used,
        metered_fen=registers.metered(invoice, gross=gross),
        metered_gross=gross,
        basis_fen=bill.basis_fen,
        limited_by=bill.limit if bill.basis_fen < bill.eligible_net_fen else "",
        other_fen=bill.other_fen,
        pieces=_pieces(bill, own),
        years=[
            _year(db, bill, year, drafted, own, [row for row in booked if row["cap_year"] == year]) for year in years
        ],
        why=[] if claimed else _whys(bill.reasons(bill.span), bill.document or own[0][0]),
    )


def _shows_gross(registers: Registers, bill: Bill) -> bool:
    """Tell which of two metered amounts to show: the one with tax, unless only the other is there or limits."""
    net = registers.metered(bill.invoice, gross=False)
    limits = bill.limit == "over_metered" and net is not None and bill.basis_fen == max(0, net)
    return registers.metered(bill.invoice, gross=True) is not None and not limits


def _applied(bill: Bill, drafted: engine.Draft, booked: Iterable[Mapping[str, Any]]) -> set[str]:
    """Name the parameters that some reason about the invoice applies, now or on a stored line."""
    claims = [each for each in drafted.claims if each.bill.invoice.invoice_id == bill.invoice.invoice_id]
    codes = {reason.code for reason in bill.reasons(bill.span)}
    codes |= {reason.code for claim in claims for reason in (*claim.cuts, *claim.holds)}
    codes |= {reason["code"] for row in booked for reason in row["reasons"]}
    names = {APPLIED[code] for code in codes & APPLIED.keys()}
    return names | ({"usage_sum_tolerance_fen"} if "usage_sum" in names else set())


def _documents(bill: Bill, own: Documents, years: Iterable[int], applied: set[str]) -> list[Document]:
    """Show the documents of the service days, and of the others those that give a year's cap, with that alone."""
    caps = [governing(own, year) for year in years]
    found = []
    for policy, force in own:
        more = applied | ({"joint_limit_bp"} if policy.overlap == "joint_limit" else set())
        names = [*_RULES, *(name for name in PARAMETERS if name in more and name not in _RULES)]
        if not (force & bill.span).days:
            names = [name for name in names if name in YEARLY.values()] if policy in caps else []
        rules = [(PARAMETERS[name][0], written(policy, name), grounds(policy, name)) for name in names]
        if rules:
            found.append(
                Document(
                    policy.id, policy.sha256, policy.title, policy.number, policy.item, force.start, force.last, rules
                )
            )
    return found


def _item(row: Mapping[str, Any], registers: Registers, force: Documents, programme: str, invoice: Invoice) -> Item:
    """Show a line; whether it counts is asked of the witness with one fen of it."""
    line = InvoiceLine(row["line_no"], row["tax_code"], 1)
    alone = weigh(registers, force, programme, replace(invoice, number="", lines=[line]))
    return Item(
        invoice_number=row["invoice_number"],
        line_no=row["line_no"],
        tax_code=row["tax_code"],
        item=row["item"],
        net_fen=row["net_fen"],
        counts=alone.eligible_net_fen == 1,
    )


def _pieces(bill: Bill, own: Documents) -> list[Piece]:
    """Show the pieces of the days; neighbours with the same fate become one."""
    found = []
    for _, group in groupby(bill.pieces, lambda each: (each.cap_year, each.document, each.reason)):
        pieces = list(group)
        first, last = pieces[0], pieces[-1]
        amount = sum(each.amount_fen for each in pieces)
        why = None
        if first.reason is not None:
            why = _why(Reason(first.reason, amount), first.document or own[0][0], governing(own, first.cap_year))
        found.append(
            Piece(
                first_on=first.span.start,
                last_on=last.span.last,
                days=sum(each.span.days for each in pieces),
                cap_year=first.cap_year,
                document=first.document.id if first.document else "",
                amount_fen=amount,
                why=why,
                used_yuan=_used(bill, Span(first.span.start, last.span.end)),
            )
        )
    return found


def _used(bill: Bill, days: Span) -> str | None:
    """Write what was used on days that follow each other, in yuan; None where the days share the basis."""
    if bill.log is None:
        return None
    before, until = (bill.log[(day - bill.span.start).days] for day in (days.start, days.end))
    return f"{Decimal(until - before).scaleb(-PLACES).normalize():f}"


def _whys(reasons: Iterable[Reason], policy: Policy, yearly: Policy | None = None) -> list[Why]:
    return [_why(reason, policy, yearly) for reason in reasons]


def _why(reason: Reason, policy: Policy, yearly: Policy | None = None) -> Why:
    """Show a reason. yearly: the document that gives what holds for a whole cap year, where it is known."""
    document = yearly if yearly is not None and reason.code in YEARLY else policy
    return Why(reason.code, clause(document, reason.code), reason.amount_fen, sentence(reason))


def _year(
    db: Connection,
    bill: Bill,
    year: int,
    drafted: engine.Draft,
    own: Documents,
    booked: Sequence[Mapping[str, Any]],
) -> Year:
    """Explain the claim of one cap year: what it is worth, what was booked, what a run now would do."""
    sums: dict[str, Slice] = {}
    for piece in bill.counted(year):
        assert piece.document is not None
        before = sums[piece.document.id].amount_fen if piece.document.id in sums else 0
        sums[piece.document.id] = Slice(piece.document.id, piece.document.rate_bp, before + piece.amount_fen)
    basis = sum(each.amount_fen for each in sums.values())
    computed = sum(each.amount_fen * each.rate_bp for each in sums.values()) // 10_000
    approved = [row["granted_fen"] for row in booked if row["state"] == "approved"]
    left, other, _ = after_overlap(bill, year, basis, computed, sum(approved) if approved else None)
    key = bill.invoice.invoice_id, year
    claims = [each for each in drafted.claims if (each.bill.invoice.invoice_id, each.cap_year) == key]
    cuts = [cut for claim in claims for cut in claim.cuts if cut.code != "other_subsidy"]
    document, yearly = bill.document, governing(own, year)
    joint = document.joint_limit_bp if document is not None and document.overlap == "joint_limit" else None
    return Year(
        cap_year=year,
        cap_fen=yearly.annual_cap_fen if yearly else 0,
        cap_by=yearly.id if yearly else "",
        slices=list(sums.values()),
        basis_fen=basis,
        computed_fen=computed,
        other_fen=other,
        joint_limit_fen=None if joint is None else basis * joint // 10_000,
        overlap_cut_fen=computed - left,
        why=_whys(cuts, document or own[0][0], yearly),
        worth_fen=left - sum(cut.amount_fen for cut in cuts),
        granted_fen=sum(approved),
        bookings=[_booking(db, bill.invoice, own, row) for row in booked],
        standing=_standing(key, drafted, settled=bool(approved)),
    )


def _booking(db: Connection, invoice: Invoice, own: Documents, row: Mapping[str, Any]) -> Booking:
    """Show a stored line with the room at its turn."""
    before, after, note = room_at(db, invoice, own[0][0].programme, row)
    known = documents.recorded(db, row["cutoff_no"])
    return Booking(
        run=str(row["run_id"]),
        state=row["state"],
        through_on=row["through_on"],
        kind=row["kind"],
        maker=row["maker"],
        checker=row["checker"] or "",
        decided_on=row["decided_on"],
        note=row["why"],
        **{name: row[name] for name in (
            "basis_fen", "computed_fen", "overlap_cut_fen", "granted_fen", "withheld_fen", "budget_cut_fen",
        )},
        room_before_fen=before,
        room_after_fen=after,
        room_note=note,
        why=[
            _why(each, ruling(known, row["policy_ids"][0], row["cap_year"], row["through_on"], each.code) or own[0][0])
            for each in reasons_of(row["reasons"])
        ],
    )  # fmt: skip


def _standing(key: tuple[int, int], drafted: engine.Draft, *, settled: bool) -> str:
    """Say what a run drafted now would do with the claim."""

    def of(lines: Iterable[engine.Line]) -> list[engine.Line]:
        return [line for line in lines if (line.invoice_id, line.cap_year) == key]

    said = []
    for line in of(drafted.lines):
        amount = format_yuan(abs(line.granted_fen), grouped=True)
        withheld = f"，上限核减{format_yuan(line.withheld_fen, grouped=True)}元" if line.withheld_fen else ""
        said.append(
            f"应追回{amount}元。" if line.kind == "recovery" else f"尚未结算；现在结算可兑付{amount}元{withheld}。"
        )
    for line in of(drafted.backfill_listed):
        said.append(f"待补{format_yuan(line.granted_fen, grouped=True)}元，经办指定后补付。")
    for line in of(drafted.held):
        codes = (
            "other_subsidy_undecided", "overlap_open", "below_min_spend", "not_verified", "usage_sum_differs", "frozen",
        )  # fmt: skip
        said += [f"暂缓：{sentence(reason)}" for reason in line.reasons if reason.code in codes]
    return "".join(said) or ("已结算，没有变动。" if settled else "尚未结算。")


def _later(db: Connection, head: Mapping[str, Any], cutoff: int, *, several: bool) -> list[Later]:
    """List what was recorded about the invoice, its parties and its rules after it was first settled.

    several: there are several programmes, and what concerns one of them names it.
    """
    first = one(
        db,
        "queries/facts/first_settled.sql",
        company_id=head["company_id"],
        invoice_id=head["invoice_id"],
        cutoff=cutoff,
    )
    if first is None or first["cutoff_no"] is None:
        return []
    rows = query(
        db,
        "queries/facts/later.sql",
        number=head["number"],
        contract_no=head["contract_no"],
        company_id=head["company_id"],
        provider_id=head["provider_id"],
        after=first["cutoff_no"],
        cutoff=cutoff,
    )
    return [Later(row["no"], row["effective_on"], row["actor"], told(row, several=several)) for row in rows]

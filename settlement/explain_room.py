"""The room of a company-year at the turn of a stored line, and what made it so beside the lines of runs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from settlement import documents, engine
from settlement.facts import Facts, Invoice
from settlement.load import facts_at
from settlement.policy import Policy, governing, in_force
from voucher.money import Fen, format_yuan


def room_at(db: Connection, invoice: Invoice, programme: str, row: Mapping[str, Any]) -> tuple[Fen, Fen, str]:
    """Return the room before and after a line's turn: that before the run, less the lines so far, no budget cut yet.

    row: of queries/facts/bookings.sql. Returns both in fen, and a note, empty when the lines of runs say it all. In a
    run without --backfill the backfill it lists keeps its room from the new claims.
    """
    year, cutoff = row["cap_year"], row["cutoff_no"]
    policies = documents.recorded(db, cutoff)
    yearly = governing([entry for entry in in_force(policies) if entry[0].programme == programme], year)
    company = invoice.company, invoice.company
    facts = facts_at(db, programme, cutoff, company, only=("served", "vouchers", "standings"))
    voucher = next((each for each in facts.vouchers if each.cap_year == year), None)
    room = engine.room_of(voucher, yearly, year, next(iter(facts.standings), None))
    if room.closed:
        return 0, 0, "券已失效，或企业已并入其他企业，没有额度"
    notes = _issued(facts, year, yearly)
    kept = 0
    if row["kind"] == "grant" and any(each.cap_year == year for each in facts.served):
        facts = facts_at(db, programme, cutoff, company)
        drafted = engine.draft(facts, policies, programme, row["through_on"], backfill=row["backfill"])
        listed = (x for x in drafted.backfill_listed if (x.company, x.cap_year) == (invoice.company, year))
        kept = sum(each.granted_fen for each in listed)
        notes += [f"另为待补留出{_yuan(kept)}"] if kept else []
    left = room.left_fen - int(row["before_fen"]) - kept
    notes += [f"已超出{_yuan(-left)}，追回的先抵补"] if left < 0 else []
    notes += [f"指标核减之前，核减的{_yuan(row['budget_cut_fen'])}不占额度"] if row["budget_cut_fen"] else []
    after = left - row["granted_fen"] - row["budget_cut_fen"]
    return max(0, left), max(0, after), "；".join(notes)


def _issued(facts: Facts, year: int, yearly: Policy | None) -> list[str]:
    """Say what of a voucher makes its room another one than the year's cap less what its company was granted."""
    voucher = next((each for each in facts.vouchers if each.cap_year == year), None)
    if voucher is None:
        return ["券尚未发放，没有额度"] if yearly is not None and yearly.issuance == "application" else []
    notes = [] if voucher.automatic else [f"券面额{_yuan(voucher.face_fen)}"]
    granted = sum(each.granted_fen for each in facts.served if each.cap_year == year)
    shared = voucher.face_fen - voucher.balance_fen - granted + voucher.over_fen
    return [*notes, f"已扣除被合并企业所用的{_yuan(shared)}"] if shared else notes


def _yuan(fen: Fen) -> str:
    return f"{format_yuan(fen, grouped=True)}元"

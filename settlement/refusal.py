"""Refusals of claims as facts: proposed, approved, lifted. A refused claim is worth nothing until it is lifted."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from settlement import documents
from voucher import acts, approval
from voucher.access import User
from voucher.database import Row, one, query, run_file
from voucher.errors import Misused, Refused
from voucher.wording import one_line

KIND = "refusal"


def propose(db: Connection, user: User, programme: str, number: str, year: int | None, *, why: str, lift: bool) -> int:
    """Propose to refuse an invoice's claims of one cap year, or of all; or to lift that.

    Returns the proposal's act id; what waits already gives that one. Raises Misused or Refused.
    """
    if not one_line(why):
        raise Misused("why", "请写明理由，不能换行。")
    found = one(db, "queries/facts/invoice.sql", number=number, cutoff=acts.cutoff(db))
    if found is None:
        raise Refused("no_invoice", f"没有已受理的发票 {number}。请核对号码，或用 cvl invoice list 查看。")
    if found["kind"] == "red":
        blue = found["original_number"]
        raise Refused("red_letter", f"发票 {number} 是红字发票，本身不兑付。请写它冲减的蓝字发票 {blue}。")
    if year is not None and not found["from_on"].year <= year <= found["until_on"].year:
        span = f"{found['from_on']}至{found['until_on']}"
        raise Refused("no_claim", f"发票 {number} 的服务期间是{span}，没有{year}年度的兑付申请。请核对年度。")
    said = query(db, "queries/refusal/standing.sql", number=number, programme_id=programme)
    standing = _standing(said, year)
    stem = f"{programme}:{number}:{year or 'all'}:"
    if all(standing) if not lift else not any(standing):
        first = approval.done_before(db, KIND, stem, {"refused": not lift, "why": why})
        if first is None and lift:
            raise Refused("not_refused", f"发票 {number} 没有不予兑付的决定，无须解除。")
        if first is None:
            raise Refused("already_refused", f"发票 {number} 已经批准不予兑付，无须再提交。")
        return first
    payload = {"programme": programme, "invoice_number": number, "cap_year": year, "refused": not lift, "why": why}
    years = "各年度" if year is None else f"{year}年度"
    of = documents.named(documents.recorded(db, acts.cutoff(db)), programme)
    words = f"发票 {number} {years}{'解除不予兑付' if lift else '不予兑付'}{of}：{why}"
    return approval.propose_next(db, KIND, stem, words.replace("|", "／"), payload, user)


def _standing(said: Sequence[Row], year: int | None) -> list[bool]:
    """Tell what stands after all decisions, oldest first: of one year, or of each that was named and of the others."""
    others, named = False, dict[int, bool]()
    for row in said:
        if row["cap_year"] is None:
            others, named = row["refused"], {}
        else:
            named[row["cap_year"]] = row["refused"]
    return [others, *named.values()] if year is None else [named.get(year, others)]


def _decide(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Put an approved refusal or lifting on record."""
    payload = json.loads(proposal.payload)
    run_file(db, "queries/policy/lock_programme.sql", programme_id=payload["programme"])
    run_file(
        db,
        "queries/refusal/write.sql",
        number=payload["invoice_number"],
        programme_id=payload["programme"],
        cap_year=payload["cap_year"],
        refused=payload["refused"],
        why=payload["why"],
        act_id=act.act_id,
    )
    return {"invoice_number": payload["invoice_number"], "refused": payload["refused"]}


approval.declare(KIND, _decide)

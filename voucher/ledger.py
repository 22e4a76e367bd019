"""The double-entry books: journals of transfers, balances kept set-wise, floors held by the database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from voucher import acts, approval
from voucher.access import User
from voucher.database import one, query, run_file
from voucher.days import business_day
from voucher.errors import Misused, Refused
from voucher.money import MAX_FEN, format_yuan
from voucher.wording import one_line


@dataclass(frozen=True, slots=True)
class Entry:
    """A movement between two accounts by name; journals of many entries are written by SQL instead."""

    debit: str
    credit: str
    amount_fen: int


def post(db: Connection, act: acts.Act, entries: Sequence[Entry]) -> None:
    """Write an act's whole journal and its effect on the balances; accounts are created when not there.

    Called at most once per act. Raises Refused (through the transaction) when an account would go below zero.
    """
    names = sorted({name for entry in entries for name in (entry.debit, entry.credit)})
    run_file(db, "queries/ledger/open_accounts.sql", names=names, act_id=act.act_id)
    run_file(
        db,
        "queries/ledger/transfer.sql",
        act_id=act.act_id,
        debits=[entry.debit for entry in entries],
        credits=[entry.credit for entry in entries],
        amounts=[entry.amount_fen for entry in entries],
    )
    update_balances(db, act)


def update_balances(db: Connection, act: acts.Act) -> None:
    """Add an act's journal to the balances: one net update, accounts locked in ascending order."""
    run_file(db, "queries/ledger/lock_accounts.sql", act_id=act.act_id)
    run_file(db, "queries/ledger/update_balances.sql", act_id=act.act_id)


def balances(db: Connection, cutoff: int, name: str = "") -> list[dict[str, Any]]:
    """List accounts with their balance in fen at a seal number; `name` filters by prefix.

    Summed from the transfers, so that it can be asked about any moment.
    """
    return [dict(row) for row in query(db, "queries/ledger/balances.sql", cutoff=cutoff, name=name)]


def available(db: Connection, fiscal_year: int) -> int:
    """Return the unspent appropriation of a fiscal year in fen."""
    row = one(db, "queries/ledger/balance.sql", name=f"money:appropriation:{fiscal_year}")
    return int(row["balance_fen"]) if row else 0


def available_at(db: Connection, fiscal_year: int, cutoff: int) -> int:
    """Return the unspent appropriation of a fiscal year as of a seal number, in fen."""
    row = one(db, "queries/ledger/available_at.sql", fiscal_year=fiscal_year, cutoff=cutoff)
    assert row is not None
    return int(row["available_fen"])


def propose_appropriation(db: Connection, user: User, year: int, amount_fen: int, reference: str) -> int:
    """Propose an appropriation (指标) for a fiscal year; the budget document's number is its reference.

    Returns the proposal's act id; the same document with the same amount again gives the first one's.
    A document that was sent back or withdrawn may be proposed anew, corrected.
    """
    if amount_fen <= 0 or amount_fen >= MAX_FEN:
        raise Misused("bad_amount", "指标金额须大于 0。")
    if not 2000 <= year <= 2199:
        raise Misused("bad_year", "年度须为四位数字，例如 2026。")
    if "|" in reference or not one_line(reference):
        raise Misused("bad_reference", "请写明指标文号，不能含 | 或换行。")
    payload = {"year": year, "amount_fen": amount_fen, "reference": reference}
    before = one(db, "queries/proposal/sent_back.sql", kind="appropriation", reference=reference)
    again = f"（第{before['times'] + 1}次）" if before and before["times"] else ""
    try:
        with acts.act(db, "appropriation", reference + again, user.name, payload) as act:
            _check_year(year)
            words = f"{year}年度指标 {reference}，{format_yuan(amount_fen, grouped=True)}元"
            approval.propose(db, act, "appropriation", words, payload, user)
    except acts.AlreadyDone as done:
        return done.act_id
    return act.act_id


def _check_year(year: int) -> None:
    if year < business_day().year:
        raise Refused("year_over", f"{year}年度已过，不能再下达该年度指标。请核对年度。")


def _appropriate(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Post an approved appropriation: treasury to appropriation."""
    payload = json.loads(proposal.payload)
    year, amount_fen = int(payload["year"]), int(payload["amount_fen"])
    _check_year(year)
    post(db, act, [Entry(f"money:treasury:{year}", f"money:appropriation:{year}", amount_fen)])
    return {"year": year, "amount": format_yuan(amount_fen), "available": format_yuan(available(db, year))}


approval.declare("appropriation", _appropriate)

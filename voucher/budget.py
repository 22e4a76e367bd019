"""Close a fiscal year: what is unspent goes back, what comes back later is returned; payables carry over."""

import json
from typing import Any

from sqlalchemy import Connection

from voucher import acts, approval, ledger, life
from voucher.access import User
from voucher.database import Row, one, query, run_file
from voucher.days import business_day
from voucher.errors import Refused
from voucher.money import format_yuan

KIND = "budget_close"


def propose_close(db: Connection, user: User, year: int) -> int:
    """Propose to close a fiscal year, not before 1 January after it nor while a run of it is open.

    Returns the proposal's act id: the one that waits, or that was approved, when there is one. Raises Refused.
    """
    first = approval.done_before(db, KIND, f"{year}:", {"year": year})
    if first is not None:
        return first
    _check(db, year)
    unspent = ledger.available(db, year)
    payload = {"year": year, "unspent_fen": unspent}
    words = f"{year}年度指标关账，缴回{format_yuan(unspent, grouped=True)}元"
    earlier = one(db, "queries/proposal/earlier.sql", kind=KIND, stem=f"{year}:")
    assert earlier is not None
    try:
        with acts.act(db, KIND, f"{year}:{earlier['decided'] + 1}", user.name, {"year": year}) as act:
            return approval.propose(db, act, KIND, words, payload, user)
    except acts.AlreadyDone as done:
        return done.act_id


def _check(db: Connection, year: int) -> None:
    """Refuse to close a year that is not over, has a run open or was never given money."""
    found = one(db, "queries/budget/standing.sql", fiscal_year=year)
    assert found is not None
    if business_day().year <= year:
        raise Refused("year_not_over", f"{year}年度尚未结束，{year + 1}年1月1日起才能关账。")
    if not found["given"]:
        raise Refused("no_appropriation", f"{year}年度没有下达过指标，无须关账。请核对年度。")
    if found["open_run"] is not None:
        raise Refused("run_open", f"{year}年度的结算批次 {found['open_run']} 尚未办结。请先撤回或退回，再关账。")


def _close(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Close an approved year: the move, and what is unspent to returned."""
    payload = json.loads(proposal.payload)
    year = int(payload["year"])
    run_file(db, "queries/budget/lock.sql")
    _check(db, year)
    unspent = ledger.available(db, year)
    if unspent != payload["unspent_fen"]:
        raise Refused("stale", f"{year}年度指标余额在提交之后有变动。请退回后重新提交。")
    life.move(db, act, "fiscal_year", [year], "closed", "")
    if unspent:
        ledger.post(db, act, [ledger.Entry(f"money:appropriation:{year}", f"money:returned:{year}", unspent)])
    return {"year": year, "returned": format_yuan(unspent)}


approval.declare(KIND, _close)


def keep_years(db: Connection) -> None:
    """Keep each fiscal year open or closed until the transaction ends: what comes back goes by which of them it is."""
    run_file(db, "queries/budget/lock_shared.sql")


def years(db: Connection, cutoff: int) -> list[Row]:
    """List the fiscal years with money by a seal number: given, granted, come back, returned, left (fen), closed."""
    return query(db, "queries/budget/list.sql", cutoff=cutoff)

"""Recovery: where the money of a claim is when its worth has fallen, who was told, and what came back.

The money of a line is followed by the line: each transfer of money carries the line whose money it is. Whoever
moves it locks the money accounts of its company first and only then asks where it is.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from voucher import acts, approval, budget, ledger
from voucher.access import User
from voucher.database import one, query, run_file
from voucher.days import business_day
from voucher.errors import Broken, Misused, Refused
from voucher.money import Fen, format_yuan
from voucher.wording import one_line

KIND = "recovery_return"


def returning(
    db: Connection, run_id: int, programme: str, fiscal_year: int, recovered: Fen, cutoff: int = acts.NOW
) -> Fen:
    """Return what of a run's recoveries goes back to the appropriation of a fiscal year: its unpaid money.

    Puts into the temporary table `taken` where all of it comes from. recovered: fen, the sum of its recovery lines.
    cutoff: the seal number by which the money is looked for.
    Raises Broken when so much money cannot be found on the lines.
    """
    if not recovered:
        return 0
    db.exec_driver_sql("DROP TABLE IF EXISTS taken")
    run_file(db, "queries/recovery/taken.sql", run_id=run_id, programme=programme, cutoff=cutoff)
    sums = one(db, "queries/recovery/taken_sums.sql", fiscal_year=fiscal_year)
    assert sums is not None
    if sums["taken_fen"] != recovered:
        raise Broken("money_missing", f"结算批次 {run_id} 应追回的款项在账上找不全。请运行 cvl reconcile 核对。")
    return int(sums["returning_fen"])


def lock_payees(db: Connection, run_id: int) -> None:
    """Lock the money accounts of the companies that a run recovers from, and the fiscal years."""
    run_file(db, "queries/recovery/lock_payees.sql", run_id=run_id)
    budget.keep_years(db)


def post_money(db: Connection, act: acts.Act) -> None:
    """Write the transfers of what `returning` found into an open act; the balances are the caller's."""
    run_file(db, "queries/recovery/accounts.sql", act_id=act.act_id)
    run_file(db, "queries/recovery/money.sql", act_id=act.act_id)


def recoverables(db: Connection, cutoff: int, number: str = "") -> Sequence[Mapping[str, Any]]:
    """List what was to be paid back by a seal number, claim by claim; number: of one invoice."""
    return query(db, "queries/recovery/recoverables.sql", cutoff=cutoff, number=number)


def tell(db: Connection, user: User, number: str, told_on: date, reference: str) -> int:
    """Record the day on which a company was told to pay back what it owes of an invoice; returns the act's id.

    reference: of the letter, which may speak of several invoices. Raises Misused or Refused.
    """
    if told_on > business_day():
        raise Misused("day_ahead", f"告知日{told_on}晚于今天，请填写实际送达的日期。")
    found = _owed(db, number)
    _check_reference(reference)
    first = min(row["recovered_on"] for row in found)
    if told_on < first:
        raise Misused("too_early", f"追回于{first}批准，告知日不能早于这一天。请核对日期。")
    request = {"invoice_number": number, "told_on": told_on.isoformat(), "reference": reference}
    try:
        with acts.act(db, "recovery_notice", f"{number}:{reference}", user.name, request) as act:
            run_file(db, "queries/recovery/tell.sql", number=number, told_on=told_on, act_id=act.act_id)
    except acts.AlreadyDone as done:
        return done.act_id
    return act.act_id


def propose_return(db: Connection, user: User, number: str, amount: Fen, received_on: date, reference: str) -> int:
    """Propose that money which a company paid back has come in; reference: of the bank's transfer.

    One transfer may pay back several invoices, each entered once. Returns the proposal's act id. Raises Misused or
    Refused.
    """
    if amount <= 0:
        raise Misused("bad_amount", "到账金额须大于 0。")
    if received_on > business_day():
        raise Misused("day_ahead", f"到账日{received_on}晚于今天，请填写实际到账的日期。")
    _check_reference(reference)
    owed = sum(row["recoverable_fen"] for row in _owed(db, number))
    payload = {
        "invoice_number": number, "amount_fen": amount, "received_on": received_on.isoformat(),
        "reference": reference,
    }  # fmt: skip
    before = one(db, "queries/recovery/same_transfer.sql", number=number, reference=reference)
    assert before is not None
    others = f"；同一笔来款另登记了{format_yuan(before['others_fen'], grouped=True)}元" if before["others_fen"] else ""
    words = f"发票 {number} 的追回款{format_yuan(amount, grouped=True)}元已到账（{reference}{others}）"
    own = f"{number}:{reference}" + (f"（第{before['times'] + 1}次）" if before["times"] else "")
    if one(db, "queries/act/find.sql", kind=KIND, reference=own) is None:
        _check_owed(number, amount, owed)
    try:
        with acts.act(db, KIND, own, user.name, payload) as act:
            return approval.propose(db, act, KIND, words, payload, user)
    except acts.AlreadyDone as done:
        return done.act_id


def _owed(db: Connection, number: str) -> Sequence[Mapping[str, Any]]:
    """List what is to be paid back of one invoice. Raises Refused when nothing ever was."""
    found = recoverables(db, acts.cutoff(db), number)
    if not found:
        raise Refused("nothing_recoverable", f"发票 {number} 没有待收回的款项。请用 cvl recovery list 查看。")
    return found


def _check_owed(number: str, amount: Fen, owed: Fen) -> None:
    if amount > owed:
        raise Refused(
            "above_recoverable",
            f"到账{format_yuan(amount, grouped=True)}元，多于发票 {number} 尚待收回的"
            f"{format_yuan(owed, grouped=True)}元。请核对金额和发票号码。",
        )


def _check_reference(reference: str) -> None:
    if "|" in reference or not one_line(reference):
        raise Misused("bad_reference", "请写明文号或银行流水号，不能含 | 或换行。")


def _return(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Book money that came back: to the appropriation of its fiscal year while that is open, else returned."""
    payload = json.loads(proposal.payload)
    number, amount = payload["invoice_number"], payload["amount_fen"]
    run_file(db, "queries/recovery/lock_debtor.sql", number=number)
    budget.keep_years(db)
    _check_owed(number, amount, sum(row["recoverable_fen"] for row in _owed(db, number)))
    run_file(db, "queries/recovery/came_back.sql", number=number, amount_fen=amount)
    post_money(db, act)
    ledger.update_balances(db, act)
    return {"invoice_number": number, "amount": format_yuan(amount)}


approval.declare(KIND, _return)

"""Payment batches: what of a disclosed run can be paid, as a proposal; approved, the money is in transit.

A batch is a pure function of the facts: the approval computes anew what can be paid and refuses what has changed.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from reconciliation import bank_profile, disclosure, payout
from settlement import documents
from settlement import run as runs
from settlement.claims import compute, put_lines
from voucher import acts, approval, ledger, seal
from voucher.access import User
from voucher.capitals import capitals
from voucher.database import Row, one, query, run_file
from voucher.errors import Broken, Refused
from voucher.money import format_yuan

KIND = "payment_batch"
LEFT_OUT: Mapping[str, str] = {
    "in_batch": "已列入另一个待复核的拨付批次。",
    "next_batch": "已可拨付，待这个批次复核之后再提出。",
    "objection_open": "公示异议尚未了结。",
    "overlap_open": "发现同一发票另获补贴，须先确认是否放弃。",
    "recovery_due": "应兑付额已低于已核定额，须先在下一次结算中追回。",
    "frozen": "企业或它的券已冻结。",
    "account_pending": "收款账户的变更尚待复核。",
    "account_missing": "没有登记收款账户。",
    "changed": "金额或收款账户已变。",
}
"""Why a line is not paid now: code to its Chinese sentence."""
STATES = {
    "proposed": "待复核", "dropped": "未批准", "in_transit": "在途", "paid": "已付", "returned": "退回",
    "approved": "已批准", "rejected": "已退回", "withdrawn": "已撤回",
}  # fmt: skip
"""State of a batch or a payment to what it is called on screen."""


@dataclass(frozen=True, slots=True)
class Made:
    """What `pay batch` gave. batch: None when nothing can be paid now. left_out: lines with fen and code."""

    batch: int | None
    left_out: Sequence[Row]


def propose(db: Connection, user: User, run_id: int) -> Made:
    """Propose to pay what can be paid of a run, one payment per payee and account.

    A batch of the run that waits for its decision is the answer as long as it does. Raises Refused:
    `not_approved`, `not_disclosed`, `disclosure_running`.
    """
    run = runs.find(db, run_id)
    if run.state != "approved":
        raise Refused("not_approved", f"结算批次 {run_id} {runs.STATES[run.state]}，批准并公示之后才能拨付。")
    run_file(db, "queries/policy/lock_programme.sql", programme_id=run.programme)
    shown = disclosure.find(db, run_id)
    if shown is None:
        raise Refused("not_disclosed", f"结算批次 {run_id} 尚未公示。请先运行 cvl disclose {run_id}。")
    if not shown.over:
        raise Refused("disclosure_running", f"结算批次 {run_id} 公示至{shown.until_on}（含）止，期满后才能拨付。")
    history = one(db, "queries/pay/history.sql", run_id=run_id)
    assert history is not None
    _compute(db, run, history["waiting"])
    left_out = query(db, "queries/pay/left_out.sql", batch=history["waiting"])
    if history["waiting"] is not None:
        return Made(int(history["waiting"]), left_out)
    sums = one(db, "queries/pay/sums.sql")
    assert sums is not None
    if not sums["lines"]:
        return Made(None, left_out)
    total = int(sums["amount_fen"])
    payload = {
        "run": run_id, "payments": sums["payments"], "lines": sums["lines"], "amount_fen": total,
        "capitals": capitals(total), "digest": sums["digest"], "left_out": len(left_out),
    }  # fmt: skip
    with acts.act(db, KIND, f"{run_id}/{history['batches'] + 1}", user.name, payload) as act:
        words = f"拨付结算批次 {run_id}：{sums['payments']}笔，{format_yuan(total, grouped=True)}元"
        approval.propose(db, act, KIND, words, payload, user)
        run_file(
            db, "queries/pay/30_batch.sql",
            run_id=run_id, payments=sums["payments"], amount_fen=total, act_id=act.act_id,
        )  # fmt: skip
        run_file(db, "queries/pay/31_payments.sql", act_id=act.act_id)
        run_file(db, "queries/pay/32_lines.sql", act_id=act.act_id)
    return Made(act.act_id, left_out)


def why(row: Row) -> str:
    """Say why a line is left out, and whom its money is for when the company was merged."""
    heir = f"（企业已合并，款项由存续企业 {row['successor']} 承继。）" if row["successor"] else ""
    return f"{LEFT_OUT[row['code']]}{heir}"


def _compute(db: Connection, run: runs.Run, batch: int | None) -> None:
    """Compute into temporary tables what can be paid of a run now. batch: its own hold on lines does not count."""
    cutoff = acts.cutoff(db)
    # the plain rules of a settlement, for a month before all others: no new claim, only what changed of settled ones
    compute(db, documents.recorded(db, cutoff), run.programme, cutoff, date(2000, 1, 1))
    put_lines(db, 0)
    run_file(db, "queries/pay/10_due.sql")
    run_file(db, "queries/pay/clear_due.sql")
    run_file(db, "queries/pay/clear_listed.sql")
    run_file(db, "queries/pay/20_payable.sql", run_id=run.run_id, batch=batch)


def find(db: Connection, batch: int, cutoff: int = acts.NOW) -> Row:
    """Find a batch as it stood at a seal number. Raises Refused when there was none."""
    row = one(db, "queries/pay/list.sql", batch=batch, cutoff=cutoff)
    if row is None:
        raise Refused("no_batch", f"没有编号为 {batch} 的拨付批次。请用 cvl pay list 查看。")
    return row


def batches(db: Connection, cutoff: int = acts.NOW) -> list[Row]:
    """List the batches as they stood at a seal number, oldest first."""
    return query(db, "queries/pay/list.sql", batch=None, cutoff=cutoff)


def payments(db: Connection, batch: int, cutoff: int = acts.NOW) -> list[Row]:
    """List the payments of a batch in order; only the last four digits of an account are for showing."""
    return query(db, "queries/pay/instructions.sql", batch=batch, cutoff=cutoff)


def exported(db: Connection, batch: int, format: str, profile: str | None) -> tuple[Row, bytes]:
    """Write an approved batch for the bank, whole account numbers in it; returns the batch and the file's bytes.

    What lies in the books is held against its seal first: this file is money. Raises Misused, Refused
    (`not_approved`), Broken (`payment_changed`).
    """
    chosen, head = bank_profile.find(profile), find(db, batch)
    if head["state"] != "approved":
        raise Refused("not_approved", f"拨付批次 {batch} {STATES[head['state']]}，批准之后才能导出。")
    for row in query(db, "queries/pay/sealed.sql", batch=batch):
        if seal.digest_body(db, row["act_id"]) != seal.Digests(row["body_sha256"], row["body_sm3"]) or (
            not row["own_numbers"]
        ):
            raise Broken(
                "payment_changed",
                f"账本第{row['no']}号的付款或收款账户被绕过程序改动，付款文件没有写出。"
                "请停止拨付，保留现场，核对账目（cvl reconcile），并联系系统管理员。",
            )
    return head, payout.FORMATS[format](head, payments(db, batch), chosen)


def record_export(db: Connection, user: User, batch: int, format: str, content: bytes) -> str:
    """Record as an act that a batch was taken out; the same bytes by the same person are one. Returns their digest."""
    digest = payout.digest(content)
    with suppress(acts.AlreadyDone):
        reference = f"{batch}:{format}:{digest}:{user.name}"
        with acts.act(db, "payment_export", reference, user.name, {"sha256": digest}):
            pass
    return digest


def _approve(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Put an approved batch in transit. Raises Refused (`stale`) when anything it rests on has changed."""
    payload = json.loads(proposal.payload)
    run = runs.find(db, int(payload["run"]))
    run_file(db, "queries/policy/lock_programme.sql", programme_id=run.programme)
    run_file(db, "queries/registry/lock.sql")  # an account or a subsidy that is being changed counts
    batch = proposal.act_id
    _compute(db, run, batch)
    changed = query(db, "queries/pay/stale.sql", batch=batch)
    if changed:
        first = changed[0]
        raise Refused(
            "stale",
            f"提交之后情况有变，发票 {first['invoice_number']}：{LEFT_OUT[first['code']]}请退回本批次，重新提交。",
        )
    run_file(db, "queries/pay/40_accounts.sql", batch=batch, kind="in_transit", act_id=act.act_id)
    run_file(db, "queries/pay/41_transfers.sql", batch=batch, act_id=act.act_id)
    run_file(db, "queries/pay/42_moves.sql", batch=batch, act_id=act.act_id)
    ledger.update_balances(db, act)
    return {"batch": str(batch), "payments": payload["payments"], "amount": format_yuan(payload["amount_fen"])}


approval.declare(KIND, _approve)

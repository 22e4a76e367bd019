"""The settlement run: draft, submit, approve. The set-based queries do the work; Python decides the order.

A draft is no act: its lines lie in a work table. Submit is the proposal that writes and seals the lines;
the approval owns the vouchers issued, the transfers and the moves.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from settlement import documents, recovery
from settlement.claims import compute, put_lines
from settlement.clauses import of_the_run
from settlement.policy import Policy, cap_for_year, in_force
from voucher import acts, approval, issuance, ledger, life
from voucher.access import SYSTEM, User
from voucher.acts import canonical
from voucher.database import expect_many, one, query, run_file, stream
from voucher.days import business_day, month_span
from voucher.errors import Broken, Misused, Refused
from voucher.money import format_yuan


@dataclass(frozen=True, slots=True)
class Run:
    """A run as asked for. through: last day of the month up to which new claims are taken."""

    run_id: int
    programme: str
    through: date
    backfill: bool
    pro_rata: bool
    cutoff: int
    fiscal_year: int
    drafted_by: str
    policies: Sequence[Mapping[str, str]]
    digest: str
    lines: int
    state: str
    maker: str
    checker: str | None = None
    proposal: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What drafting gave. run: None when there is not one line. held and backfill: rows in the shape of lines."""

    run: Run | None
    held: Sequence[Mapping[str, Any]]
    backfill: Sequence[Mapping[str, Any]]
    cutoff: int


def month_end(month: str) -> date:
    """Read --through as the last day of a month, never later than the business day's month. Raises Misused."""
    try:
        last = month_span(month).last
    except ValueError:
        raise Misused("bad_month", f"月份“{month}”无法识别。请写成 2026-08。") from None
    today = business_day()
    if (last.year, last.month) > (today.year, today.month):
        raise Misused("month_ahead", f"{month}尚未开始，最晚只能结算到{today:%Y-%m}。")
    return last


def draft(db: Connection, user: User, through: date, *, backfill: bool = False, programme: str | None = None) -> Draft:
    """Draft a run up to the last seal; a draft without lines is not kept.

    Drafting again replaces one's own draft. Raises Refused (`run_open`) when another's draft or a submitted
    run is open, Busy through the transaction when the programme is locked.
    """
    chosen = documents.only_programme(documents.recorded(db, acts.cutoff(db)), programme)
    _lock(db, chosen)
    cutoff = acts.cutoff(db)
    policies = documents.recorded(db, cutoff)
    _clear_own_draft(db, chosen, user)
    compute(db, policies, chosen, cutoff, through, backfill=backfill, news_only=True)
    fresh = one(db, "queries/settle/next_run.sql")
    assert fresh is not None
    run_id = int(fresh["run_id"])
    lines = put_lines(db, run_id)
    cut = _prorate(db, policies, chosen, run_id, cutoff, through)
    used = [{"id": policy.id, "sha256": policy.sha256} for policy in policies if policy.programme == chosen]
    run_file(
        db,
        "queries/settle/keep_draft.sql",
        programme_id=chosen,
        run_id=run_id,
        through_on=through,
        backfill=backfill,
        pro_rata=cut,
        cutoff_no=cutoff,
        fiscal_year=business_day().year,
        drafted_by=user.name,
        policies=canonical(used),
        lines_sha256=lines_digest(db, "draft_line", run_id),
        lines=lines,
    )
    run_file(db, "queries/settle/draft/85_open.sql", run_id=run_id)
    run = find(db, run_id)
    result = Draft(run if lines else None, listed(db, run, "held"), listed(db, run, "backfill"), cutoff)
    if not lines:
        _drop_draft(db, run_id)
    return result


def _prorate(
    db: Connection, policies: Sequence[Policy], programme: str, run_id: int, cutoff: int, through: date
) -> bool:
    """Cut a draft's lines to what is available where the policy says so; returns whether they were cut.

    ASSUMPTION: a run for which there is enough is not a pro-rata run, and one for which there is nothing is refused
    when it is submitted.
    """
    if of_the_run(policies, programme, through).over_budget != "pro_rata":
        return False
    sums = one(db, "queries/settle/draft_totals.sql", run_id=run_id)
    assert sums is not None
    year = business_day().year
    available = ledger.available_at(db, year, cutoff)
    available += recovery.returning(db, run_id, programme, year, sums["recovered"], cutoff)
    if not 0 < available < sums["granted"]:
        return False
    run_file(db, "queries/settle/draft/90_prorate.sql", run_id=run_id, available_fen=available)
    return True


def _lock(db: Connection, programme: str) -> None:
    """Lock a programme until the end of the transaction; every act that moves its limits does."""
    run_file(db, "queries/policy/lock_programme.sql", programme_id=programme)


def _clear_own_draft(db: Connection, programme: str, user: User) -> None:
    """Drop one's own earlier draft, or the scheduler's. Raises Refused when it is another's or was submitted."""
    found = one(db, "queries/settle/open_run.sql", programme_id=programme)
    if found is None:
        return
    if found["submitted"]:
        raise Refused(
            "run_open",
            f"结算批次 {found['run_id']} 已提交、尚未复核。请先由复核人员批准或退回，或由提交人撤回。",
        )
    if found["drafted_by"] not in (user.name, SYSTEM):
        raise Refused(
            "run_open",
            f"“{found['drafted_by']}”有一份未提交的结算草稿（批次 {found['run_id']}）。请其提交或撤回。",
        )
    _drop_draft(db, int(found["run_id"]))


def _drop_draft(db: Connection, run_id: int) -> None:
    """Delete a draft from the work tables."""
    run_file(db, "queries/settle/drop_draft_lines.sql", run_id=run_id)
    run_file(db, "queries/settle/drop_draft_listed.sql", run_id=run_id)
    run_file(db, "queries/settle/drop_open_run.sql", run_id=run_id)


def lines_digest(db: Connection, table: str, run_id: int) -> str:
    """Digest a run's lines as text in order (SHA-256, hex); the same lines give the same digest."""
    assert table in ("draft_line", "run_line")
    hasher = hashlib.sha256()
    if table == "draft_line":
        # they lie in the order of their key; without statistics of lines just written they would be sorted once more
        db.exec_driver_sql("SET LOCAL enable_sort = off")
    for row in stream(db, f"queries/settle/{table}_text.sql", run_id=run_id):
        hasher.update(row["lines"].encode())
    db.exec_driver_sql("SET LOCAL enable_sort = on")
    return hasher.hexdigest()


def find(db: Connection, run_id: int, cutoff: int | None = None) -> Run:
    """Find a run, draft or submitted; cutoff: as it stood at a seal number, when a draft was no act yet.

    Raises Refused when there is none.
    """
    row = one(db, "queries/settle/find_run.sql", run_id=run_id, cutoff=cutoff)
    if row is None:
        row = one(db, "queries/settle/find_open.sql", run_id=run_id) if cutoff is None else None
        if row is None:
            raise Refused("no_run", f"没有编号为 {run_id} 的结算批次。请用 cvl settle list 查看。")
        row = {**row, "state": "draft", "maker": row["drafted_by"], "proposal_act_id": None, "checker": None}
    return Run(
        run_id=row["run_id"],
        programme=row["programme_id"],
        through=row["through_on"],
        backfill=row["backfill"],
        pro_rata=row["pro_rata"],
        cutoff=row["cutoff_no"],
        fiscal_year=row["fiscal_year"],
        drafted_by=row["drafted_by"],
        policies=json.loads(row["policies"]),
        digest=row["digest"],
        lines=row["lines"],
        state=row["state"],
        maker=row["maker"],
        checker=row["checker"],
        proposal=row["proposal_act_id"],
    )


def totals(db: Connection, run: Run) -> dict[str, int]:
    """Sum a run's lines: granted (with backfill), withheld (grant lines), recovered (positive), in fen."""
    row = one(db, f"queries/settle/{_table(run)}_totals.sql", run_id=run.run_id)
    assert row is not None
    return {name: int(row[name]) for name in ("granted", "withheld", "recovered")}


def lines(db: Connection, run: Run) -> list[dict[str, Any]]:
    """List a run's lines in order, amounts in fen."""
    return [dict(row) for row in query(db, f"queries/settle/{_table(run)}_lines.sql", run_id=run.run_id)]


def listed(db: Connection, run: Run, what: str) -> list[dict[str, Any]]:
    """List what a draft holds back (`held`) or would add with --backfill (`backfill`)."""
    return [dict(row) for row in query(db, "queries/settle/listed.sql", run_id=run.run_id, list=what)]


def _table(run: Run) -> str:
    return "draft" if run.state == "draft" else "run"


def submit(db: Connection, user: User, run_id: int) -> Run:
    """Propose a draft: its lines are written and sealed. Submitting it twice gives the first answer, also later.

    Any maker may submit what the scheduler drafted. Raises Refused: another's draft, no line, `over_budget` with the
    gap.
    """
    run = find(db, run_id)
    if run.state in ("submitted", "approved") and run.maker == user.name:
        return run
    if run.state != "draft":
        raise Refused(
            "not_a_draft", f"结算批次 {run_id} 不是草稿（{STATES[run.state]}），不能提交。请用 cvl settle list 查看。"
        )
    if run.drafted_by not in (user.name, SYSTEM):
        raise Refused("not_yours", f"这份草稿由“{run.drafted_by}”编制，只能由其提交。")
    _check_year(run)
    sums = totals(db, run)
    payload = {
        "run": run_id, "programme": run.programme, "through": run.through.isoformat(), "cutoff": run.cutoff,
        "digest": run.digest, "lines": run.lines, "policies": list(run.policies),
        "totals": {name: format_yuan(fen) for name, fen in sums.items()},
    }  # fmt: skip
    try:
        with acts.act(db, "run", str(run_id), user.name, payload) as act:
            _lock(db, run.programme)
            find(db, run_id)
            _check_funds(db, run, sums)
            approval.propose(db, act, "run", f"结算批次 {run_id}", payload, user, run.drafted_by)
            run_file(db, "queries/settle/submit_run.sql", run_id=run_id, act_id=act.act_id)
            run_file(db, "queries/settle/submit_lines.sql", run_id=run_id)
            if lines_digest(db, "run_line", run_id) != run.digest:
                raise Broken("draft_changed", "草稿内容与起草时的摘要不一致。请重新起草，并联系系统管理员。")
            run_file(db, "queries/settle/drop_draft_lines.sql", run_id=run_id)
            run_file(db, "queries/settle/drop_draft_listed.sql", run_id=run_id)
            run_file(db, "queries/settle/mark_submitted.sql", run_id=run_id)
    except acts.AlreadyDone:
        pass
    return find(db, run_id)


def _check_year(run: Run) -> None:
    """Refuse (`stale`) a run of another fiscal year than today's: its money would be taken from a year that is over."""
    if business_day().year != run.fiscal_year:
        way = "请重新起草" if run.state == "draft" else "请退回后重新起草"
        raise Refused("stale", f"本批次按{run.fiscal_year}年度指标起草，现已跨年。{way}。")


def _check_funds(db: Connection, run: Run, sums: Mapping[str, int]) -> None:
    """Refuse a run that takes more than the appropriation holds once its recoveries are back."""
    gap = _gap(db, run, sums)
    if gap > 0:
        raise Refused(
            "over_budget",
            f"{run.fiscal_year}年度指标不足，差{format_yuan(gap, grouped=True)}元。请先追加指标，再提交。",
        )


def _gap(db: Connection, run: Run, sums: Mapping[str, int]) -> int:
    """Return what a run takes more than the appropriation holds once its recoveries are back, in fen."""
    back = recovery.returning(db, run.run_id, run.programme, run.fiscal_year, sums["recovered"])
    return sums["granted"] - ledger.available(db, run.fiscal_year) - back


STATES = {
    "draft": "草稿", "submitted": "待复核", "approved": "已批准", "rejected": "已退回", "withdrawn": "已撤回",
}  # fmt: skip
"""State of a run to what it is called on screen."""
KINDS = {"grant": "补贴", "backfill": "补付", "recovery": "追回"}
"""Kind of a line to what it is called on screen."""


def decide(db: Connection, user: User, run_id: int, verdict: str, *, why: str = "", digest: str | None = None) -> Run:
    """Approve, reject or withdraw a run. digest: of the lines, as `show` prints it; another one is refused.

    Withdrawing a draft deletes it. Raises Refused.
    """
    run = find(db, run_id)
    if run.state == "draft":
        if verdict != "withdrawn":
            raise Refused("not_submitted", f"结算批次 {run_id} 尚未提交。请经办人先运行 cvl settle submit {run_id}。")
        if run.drafted_by not in (user.name, SYSTEM):
            raise Refused("second_person", "只有起草人本人可以撤回草稿。请由起草人办理。")
        _lock(db, run.programme)
        _drop_draft(db, run_id)
        return run
    if digest is not None and (len(digest) < 8 or not run.digest.startswith(digest.lower())):
        raise Refused("digest_differs", "摘要与已提交的结算行不一致。请重新查看后再批准。")
    if verdict == "approved" and user.name in (run.drafted_by, run.maker):
        raise Refused("second_person", "不能复核自己起草或提交的结算。请由另一名复核人员办理。")
    assert run.proposal is not None
    approval.decide(db, run.proposal, verdict, user, why=why)
    return find(db, run_id)


def _approve(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Post an approved run: vouchers, limits and money, one journal."""
    run_id = int(json.loads(proposal.payload)["run"])
    run = find(db, run_id)
    _lock(db, run.programme)
    if lines_digest(db, "run_line", run_id) != run.digest:
        raise Broken("lines_changed", f"结算批次 {run_id} 的结算行与摘要不一致，账目可能被改动。请运行 cvl reconcile。")
    recovery.lock_payees(db, run_id)
    expect_many(db)
    _check_fresh(db, run)
    own = [(policy, span) for policy, span in in_force(_used(db, run)) if policy.programme == run.programme]
    first, last = own[0][1].start.year, own[-1][1].last.year
    caps = canonical({str(year): cap_for_year(own, year) for year in range(first, last + 1)})
    run_file(db, "queries/settle/post/05_freed.sql", run_id=run_id)
    run_file(db, "queries/settle/post/10_vouchers.sql", run_id=run_id, act_id=act.act_id, caps=caps)
    issuance.check_unshared(db, act)
    run_file(db, "queries/voucher/first_moves.sql", act_id=act.act_id)
    run_file(db, "queries/voucher/accounts.sql", act_id=act.act_id)
    run_file(db, "queries/settle/post/20_payable.sql", run_id=run_id, act_id=act.act_id)
    run_file(db, "queries/settle/post/25_lapsed.sql", act_id=act.act_id)
    run_file(db, "queries/settle/post/30_faces.sql", run_id=run_id, act_id=act.act_id, caps=caps)
    if totals(db, run)["recovered"]:
        run_file(db, "queries/settle/post/35_limits.sql", run_id=run_id, act_id=act.act_id)
        recovery.post_money(db, act)
    run_file(db, "queries/settle/post/40_lines.sql", run_id=run_id, act_id=act.act_id)
    if over := query(db, "queries/voucher/absorbed_over.sql", programme_id=run.programme):
        life.lapse(db, act, {row["voucher_id"]: row["over_fen"] for row in over})
    ledger.update_balances(db, act)
    run_file(db, "queries/settle/post/50_open.sql", run_id=run_id)
    run_file(db, "queries/settle/drop_open_run.sql", run_id=run_id)
    return {"run": str(run_id)}


def _used(db: Connection, run: Run) -> list[Policy]:
    """Return the documents as they were known at the run's cutoff."""
    return documents.recorded(db, run.cutoff)


def _check_fresh(db: Connection, run: Run) -> None:
    """Refuse (`stale`) what has been overtaken since the draft."""
    _check_year(run)
    for moved in query(db, "queries/settle/stale_vouchers.sql", run_id=run.run_id):
        raise Refused(
            "stale",
            f"企业 {moved['company']} {moved['cap_year']}年度的券在起草之后有变动。请退回后重新起草。",
        )
    if _gap(db, run, totals(db, run)) > 0:
        raise Refused("stale", f"{run.fiscal_year}年度指标余额已不足。请退回，追加指标后重新起草。")


def _discard(db: Connection, proposal: approval.Proposal) -> None:
    """Close a rejected or withdrawn run; its lines stay on record."""
    run_file(db, "queries/settle/drop_open_run.sql", run_id=int(json.loads(proposal.payload)["run"]))


approval.declare("run", _approve, _discard)

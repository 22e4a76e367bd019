"""公示: a run is disclosed for so many working days; an objection holds the payment of an invoice until released."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from settlement import documents, run
from settlement.policy import in_force
from voucher import acts, life, workdays
from voucher.access import User
from voucher.database import Row, one, query, run_file
from voucher.days import business_day
from voucher.errors import Misused, Refused

OBJECTIONS = {"open": "未了结", "released": "已解除"}
"""State of an objection to what it is called on screen."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A run's disclosure. until_on: the last full working day of it; from the next day on the run can be paid."""

    run_id: int
    from_on: date
    until_on: date
    working_days: int
    act_id: int

    @property
    def over(self) -> bool:
        """Tell whether the span has passed by the business day."""
        return business_day() > self.until_on


def find(db: Connection, run_id: int, cutoff: int = acts.NOW) -> Disclosure | None:
    """Find the disclosure of a run, if it was on record at a seal number."""
    row = one(db, "queries/disclosure/find.sql", run_id=run_id, cutoff=cutoff)
    return Disclosure(**row) if row else None


def disclose(db: Connection, user: User, run_id: int, from_on: date | None) -> Disclosure:
    """Record that an approved run is disclosed from a day on (today when None); twice gives the first answer.

    Raises Refused: not approved, before its approval, another day than before, `calendar_missing`.
    """
    found = run.find(db, run_id)
    row = one(db, "queries/disclosure/approved_on.sql", run_id=run_id)
    if row is None:
        raise Refused("not_approved", f"结算批次 {run_id} {run.STATES[found.state]}，批准之后才能公示。")
    known = find(db, run_id)
    if known is not None and from_on in (None, known.from_on):
        return known
    first = from_on or business_day()
    if first < row["effective_on"]:
        raise Refused("too_early", f"公示起始日{first}早于批准日{row['effective_on']}。请核对 --from。")
    days = _working_days(db, found)
    until = workdays.after(first, days) if days else first - timedelta(days=1)
    try:
        with acts.act(db, "disclosure", str(run_id), user.name, {"run": run_id, "from": first.isoformat()}) as act:
            run_file(
                db, "queries/disclosure/write.sql",
                run_id=run_id, from_on=first, until_on=until, working_days=days, act_id=act.act_id,
            )  # fmt: skip
    except acts.AlreadyDone:
        pass
    except Refused as refusal:
        if refusal.code != "reference_conflict":
            raise
        said = "" if known is None else f"（自{known.from_on}起）"
        raise Refused("already_disclosed", f"结算批次 {run_id} 已登记公示{said}，起始日不能再改。") from None
    made = find(db, run_id)
    assert made is not None
    return made


def _working_days(db: Connection, found: run.Run) -> int:
    """Return the length of the disclosure by the document in force at the run's month, else by its last one."""
    spans = in_force(documents.recorded(db, found.cutoff))
    own = [(policy, span) for policy, span in spans if policy.programme == found.programme]
    return next((policy for policy, span in own if found.through in span), own[-1][0]).disclosure_working_days


def listed(db: Connection, run_id: int, cutoff: int = acts.NOW) -> list[Row]:
    """List what is disclosed of a run: company names, years, invoices and amounts (fen), no numbers of any kind."""
    return query(db, "queries/disclosure/list.sql", run_id=run_id, cutoff=cutoff)


def objections(db: Connection, run_id: int, number: str | None = None, cutoff: int = acts.NOW) -> list[Row]:
    """List the objections to a run, or to one invoice of it, as they stood at a seal number, oldest first."""
    return query(db, "queries/disclosure/objections.sql", run_id=run_id, number=number, cutoff=cutoff)


def object_to(db: Connection, user: User, run_id: int, number: str, why: str) -> int:
    """Hold the payment of an invoice of a disclosed run. Returns the objection's act id.

    The same words again while it is open give the first answer. Raises Misused, Refused.
    """
    known = _ready(db, run_id, number, why)
    for row in known:
        if row["state"] == "open":
            if row["why"] == why:
                return int(row["act_id"])
            raise Refused("objection_open", f"发票 {number} 已有未了结的异议（{row['why']}）。请先核实解除。")
    reference = f"{run_id}/{number}/{len(known) + 1}"
    with acts.act(db, "objection", reference, user.name, {"why": why}) as act:
        if not run_file(db, "queries/disclosure/object.sql", run_id=run_id, number=number, why=why, act_id=act.act_id):
            raise Refused("no_line", f"结算批次 {run_id} 没有给发票 {number} 的补贴。请核对发票号码。")
        life.move(db, act, "objection", [act.act_id], "open", why)
    return act.act_id


def release(db: Connection, user: User, run_id: int, number: str, why: str) -> int:
    """Release the open objection to an invoice; twice gives the first answer. Returns its act id."""
    known = _ready(db, run_id, number, why)
    if not known:
        raise Refused("no_objection", f"发票 {number} 在结算批次 {run_id} 没有异议。请核对发票号码和批次号。")
    last = known[-1]
    if last["state"] != "open":
        if last["release_why"] == why:
            return int(last["act_id"])
        raise Refused("no_objection", f"发票 {number} 的异议早已解除（{last['release_why']}）。")
    with acts.act(db, "objection_release", str(last["act_id"]), user.name, {"why": why}) as act:
        life.move(db, act, "objection", [int(last["act_id"])], "released", why)
    return int(last["act_id"])


def _ready(db: Connection, run_id: int, number: str, why: str) -> Sequence[Row]:
    """Check what both acts need and lock the programme; return the objections to the invoice so far."""
    if not why.strip():
        raise Misused("why", "请写明理由。")
    found = run.find(db, run_id)
    run_file(db, "queries/policy/lock_programme.sql", programme_id=found.programme)
    if find(db, run_id) is None:
        raise Refused("not_disclosed", f"结算批次 {run_id} 尚未公示。请先运行 cvl disclose {run_id}。")
    return objections(db, run_id, number)

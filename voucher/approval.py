"""The proposal: what needs a second person is proposed by one and decided by another, all kinds alike."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from voucher import acts
from voucher.access import User
from voucher.database import one, query, run_file
from voucher.errors import Refused
from voucher.money import format_yuan

Effect = Callable[[Connection, "Proposal", acts.Act], Mapping[str, Any]]
"""What an approval does: given the open act that owns every row it writes; returns what to show."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of proposal. effect: carried out by the approval. undo: tidies up after a rejection."""

    effect: Effect
    undo: Callable[[Connection, "Proposal"], None]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal and what became of it. state: proposed, approved, rejected or withdrawn."""

    act_id: int
    kind: str
    subject: str
    payload: str
    digest: str
    maker: str
    state: str


WORDS = {
    "run": "结算批次", "appropriation": "年度指标", "bank_account": "银行账户变更",
    "voucher_issue": "发放算力券", "invoice_resolution": "单据核定", "payment_batch": "拨付批次",
    "recovery_return": "追回款到账", "state_move": "状态变更", "merger": "企业合并",
    "refusal": "不予兑付", "budget_close": "年度指标关账", "bank_match": "对账单人工匹配",
}  # fmt: skip
"""Kind of a proposal to what it is called on screen."""
_KINDS: dict[str, Kind] = {}


def _nothing(_db: Connection, _proposal: Proposal) -> None:
    """Leave everything as it is."""


def declare(kind: str, effect: Effect, undo: Callable[[Connection, Proposal], None] = _nothing) -> None:
    """Declare what approving a kind of proposal does; called once by the module that owns the kind."""
    assert kind not in _KINDS, kind
    _KINDS[kind] = Kind(effect, undo)


def propose(
    db: Connection, act: acts.Act, kind: str, subject: str, payload: object, maker: User, drafted_by: str = ""
) -> int:
    """Write a proposal into an open act; the payload is what was shown to the maker. Returns its act id."""
    assert kind in _KINDS, kind
    run_file(
        db,
        "queries/proposal/propose.sql",
        act_id=act.act_id,
        kind=kind,
        subject=subject,
        payload=acts.canonical(payload),
        maker=maker.name,
        drafted_by=drafted_by or maker.name,
    )
    return act.act_id


def propose_next(db: Connection, kind: str, stem: str, subject: str, payload: object, user: User) -> int:
    """Propose something about one thing as an act of its own; stem: the reference of all that concerns the thing.

    What was decided before does not stand in the way, what still waits does. Returns the proposal's act id; the same
    again gives the first one's. Raises Refused (`proposal_pending`).
    """
    earlier = one(db, "queries/proposal/earlier.sql", kind=kind, stem=stem)
    assert earlier is not None
    try:
        with acts.act(db, kind, f"{stem}{earlier['decided'] + 1}", user.name, payload) as act:
            return propose(db, act, kind, subject, payload, user)
    except acts.AlreadyDone as done:
        return done.act_id
    except Refused as refusal:
        if refusal.code == "reference_conflict":
            raise Refused(
                "proposal_pending",
                f"同一对象的事项 {earlier['waiting']} 尚待复核。请先批准、退回或撤回，再重新提交。",
            ) from None
        raise


def done_before(db: Connection, kind: str, stem: str, said: Mapping[str, object]) -> int | None:
    """Find what was asked before and approved, for one who asks for it again: the first answer, not a fault.

    said: of the payload what makes two of them the same. Returns the act id of the last decided proposal under the
    stem when it was approved and says that, else None.
    """
    row = one(db, "queries/proposal/last_decided.sql", kind=kind, stem=stem)
    if row is None or row["verdict"] != "approved":
        return None
    payload = json.loads(row["payload"])
    same = all(payload.get(name) == value for name, value in said.items())
    return int(row["act_id"]) if same else None


def find(db: Connection, act_id: int) -> Proposal:
    """Find a proposal. Raises Refused when there is none."""
    row = one(db, "queries/proposal/find.sql", act_id=act_id)
    if row is None:
        raise Refused("no_proposal", f"没有编号为 {act_id} 的待办事项。请用 cvl proposals 查看。")
    return Proposal(**row)


def pending(db: Connection, cutoff: int = acts.NOW) -> list[Proposal]:
    """List what waits for a decision, or waited for one at a seal number, oldest first."""
    return [Proposal(**row) for row in query(db, "queries/proposal/pending.sql", cutoff=cutoff)]


def decide(
    db: Connection, act_id: int, verdict: str, user: User, *, why: str = "", digest: str | None = None
) -> dict[str, Any]:
    """Approve, reject or withdraw a proposal as one act; an approval's act owns every row of its effect.

    digest: what the decider saw (a prefix of at least 8 hex digits will do); another one is refused.
    The same decision by the same person twice gives the first answer. Raises Refused.
    """
    proposal = find(db, act_id)
    if digest is not None and (len(digest) < 8 or not proposal.digest.startswith(digest.lower())):
        raise Refused("digest_differs", "摘要与待办事项不一致，内容可能已变。请重新查看后再批准。")
    if verdict == "rejected" and not why.strip():
        raise Refused("why", "退回须写明理由。请加上 --why 理由。")
    _check_person(proposal, verdict, user)
    request = {"verdict": verdict, "by": user.name, "why": why, "digest": proposal.digest}
    answer: dict[str, Any] = {"act": str(act_id), "kind": proposal.kind, "state": verdict}
    try:
        with acts.act(db, "decision", str(act_id), user.name, request) as act:
            run_file(
                db,
                "queries/proposal/decide.sql",
                proposal_act_id=act_id,
                verdict=verdict,
                why=why,
                decided_by=user.name,
                act_id=act.act_id,
            )
            if verdict == "approved":
                answer |= _KINDS[proposal.kind].effect(db, proposal, act)
            else:
                _KINDS[proposal.kind].undo(db, proposal)
            run_file(
                db, "queries/proposal/answer.sql", act_id=act.act_id, answer=json.dumps(answer, ensure_ascii=False)
            )
    except acts.AlreadyDone as done:
        first = one(db, "queries/proposal/answered.sql", act_id=done.act_id)
        assert first is not None
        return dict(json.loads(first["answer"]))
    except Refused as refusal:
        if refusal.code == "reference_conflict":
            raise Refused(
                "decided", f"事项 {act_id} 已经办结，不能再次决定。请用 cvl proposals 查看待办的事项。"
            ) from None
        raise
    return answer


def _check_person(proposal: Proposal, verdict: str, user: User) -> None:
    """Refuse a wrong person with a sentence; the database refuses it too."""
    if verdict == "withdrawn":
        if user.name != proposal.maker:
            raise Refused("second_person", "只有提交人本人可以撤回。请由提交人办理，或由复核人员退回。")
    elif user.name == proposal.maker:
        raise Refused("second_person", "不能复核自己提交的事项。请由另一名复核人员办理。")


def shown(proposal: Proposal) -> Any:
    """Write the payload as JSON for people: amounts as yuan, under their names without the unit."""
    return _plain(json.loads(proposal.payload))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key.removesuffix("_fen"): format_yuan(each) if key.endswith("_fen") else _plain(each)
            for key, each in value.items()
        }
    return [_plain(each) for each in value] if isinstance(value, list) else value

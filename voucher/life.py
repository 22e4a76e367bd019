"""The life of a voucher, and of a company's standing: each move is a fact, and by hand a proposal.

The table of allowed moves lies in the database, which refuses every other one.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from voucher import acts, approval, ledger
from voucher.access import User
from voucher.database import one, query, run_file
from voucher.errors import Misused, Refused
from voucher.money import MAX_FEN, Fen, format_yuan
from voucher.wording import one_line

KIND = "state_move"
CLOSED = ("revoked", "expired", "returned")
"""States of a voucher that nothing leads out of; the limit that was left is lapsed."""
WORDS: Mapping[tuple[str, str], str] = {
    ("voucher", "frozen"): "冻结", ("voucher", "issued"): "解冻", ("voucher", "revoked"): "撤销",
    ("voucher", "returned"): "退回", ("company", "frozen"): "冻结企业", ("company", "active"): "解冻企业",
}  # fmt: skip
"""What is moved, and to which state, to what that is called on screen."""
STATES: Mapping[str, str] = {
    "none": "正常", "active": "正常", "issued": "有效", "frozen": "冻结", "revoked": "撤销", "expired": "过期",
    "returned": "退回",
}  # fmt: skip
"""State to what it is called on screen."""
_EVENTS = {
    "voucher:none:issued": "发放", "voucher:issued:frozen": "冻结", "voucher:frozen:issued": "解冻",
    "company:none:frozen": "企业冻结", "company:active:frozen": "企业冻结", "company:frozen:active": "企业解冻",
    "merged": "企业并入", "absorbed": "企业合并了", "limit:authority:voucher": "转入面额",
    "limit:voucher:authority": "面额调减", "limit:voucher:redeemed": "兑付", "limit:redeemed:voucher": "追回",
    "limit:redeemed:lapsed": "追回（转失效）", "limit:voucher:lapsed": "失效",
}  # fmt: skip
"""What happened to what it is called on screen; a move to a closed state is called by the state."""
_USES = {"unused": "未使用", "partly_redeemed": "部分兑付", "used_up": "已用完"}


def find_voucher(db: Connection, voucher_id: int) -> Mapping[str, Any]:
    """Find a voucher: voucher_id, programme_id, company_id, company (USCC), cap_year, left_fen. Raises Refused."""
    row = one(db, "queries/voucher/find.sql", voucher_id=voucher_id)
    if row is None:
        raise Refused("no_voucher", f"没有编号为 {voucher_id} 的券。请用 cvl voucher list 查看。")
    return row


def find_company(db: Connection, uscc: str) -> Mapping[str, Any]:
    """Find a company: party_id, uscc, merged_on and survivor of its merger. Raises Refused."""
    row = one(db, "queries/voucher/company.sql", uscc=uscc)
    if row is None:
        raise Refused("unknown_company", f"名单中没有企业 {uscc}。请核对代码，或先用 cvl registry import 登记。")
    return row


def propose_voucher(db: Connection, user: User, voucher_id: int, state: str, why: str) -> int:
    """Propose to freeze (`frozen`), unfreeze (`issued`), revoke or return a voucher. Returns the proposal's act id.

    Raises Misused without a reason, Refused when there is no such voucher or its state does not allow it.
    """
    row = find_voucher(db, voucher_id)
    subject = f"{WORDS['voucher', state]}{row['company']} {row['cap_year']}年度的券（券号 {voucher_id}）"
    if state in CLOSED:
        left = format_yuan(row["left_fen"], grouped=True)
        subject += f"，批准时剩余的额度失效（提交时{left}元）"
    return _propose(db, user, "voucher", voucher_id, state, why, subject)


def propose_company(db: Connection, user: User, uscc: str, state: str, why: str) -> int:
    """Propose to freeze (`frozen`) or unfreeze (`active`) a company: its claims are held, recoveries go on."""
    row = find_company(db, uscc)
    return _propose(db, user, "company", row["party_id"], state, why, f"{WORDS['company', state]}{uscc}")


def _propose(db: Connection, user: User, noun: str, subject_id: int, state: str, why: str, subject: str) -> int:
    if not one_line(why):
        raise Misused("why", "请写明理由，不能换行。")
    stem = f"{noun}:{subject_id}:"
    now = _now(db, noun, subject_id, state)
    if now["state"] == state and (first := approval.done_before(db, KIND, stem, {"to": state, "why": why})) is not None:
        return first
    _check_allowed(now, noun, state)
    payload = {"noun": noun, "id": subject_id, "step": now["step"], "from": now["state"], "to": state, "why": why}
    return approval.propose_next(db, KIND, stem, subject, payload, user)


def _now(db: Connection, noun: str, subject_id: int, state: str) -> Mapping[str, Any]:
    """Return the last step and state of a subject, and whether it may move to another one."""
    now = one(db, "queries/state/allowed.sql", noun=noun, subject_id=subject_id, to_state=state)
    assert now is not None
    return now


def _check_allowed(now: Mapping[str, Any], noun: str, state: str) -> None:
    """Refuse a move that is not allowed."""
    if not now["allowed"]:
        raise Refused(
            "move_not_allowed",
            f"目前的状态是“{STATES[now['state']]}”，不能{WORDS[noun, state]}。请用 cvl voucher show 查看经过。",
        )


def _move(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Carry out an approved move; closing a voucher takes what is left of it."""
    asked = json.loads(proposal.payload)
    if asked["noun"] == "voucher":
        run_file(
            db,
            "queries/policy/lock_programme.sql",
            programme_id=find_voucher(db, asked["id"])["programme_id"],
        )
    else:
        run_file(db, "queries/policy/lock_programmes.sql")
    now = _now(db, asked["noun"], asked["id"], asked["to"])
    _check_allowed(now, asked["noun"], asked["to"])
    if now["step"] != asked["step"]:
        raise Refused("stale", "提交之后状态已有变动。请退回后重新提交。")
    if asked["to"] in CLOSED:
        close(db, act, [asked["id"]], asked["to"], asked["why"])
    else:
        move(db, act, asked["noun"], [asked["id"]], asked["to"], asked["why"])
    return {"moved": asked["noun"], "id": str(asked["id"]), "to": asked["to"]}


def move(db: Connection, act: acts.Act, noun: str, ids: Sequence[int], state: str, why: str) -> None:
    """Write one move per subject; the database refuses one that is not allowed."""
    run_file(db, "queries/state/move.sql", noun=noun, ids=list(ids), to_state=state, why=why, act_id=act.act_id)


def close(db: Connection, act: acts.Act, ids: Sequence[int], state: str, why: str) -> None:
    """Close vouchers: their moves, and what is left of each goes to lapsed. At most once per act."""
    move(db, act, "voucher", ids, state, why)
    lapse(db, act, dict.fromkeys(ids, MAX_FEN))
    ledger.update_balances(db, act)


def lapse(db: Connection, act: acts.Act, amounts: Mapping[int, Fen]) -> None:
    """Move limit of vouchers (id to fen, at most what is left) to lapsed; the balances are the caller's."""
    ids = list(amounts)
    run_file(db, "queries/voucher/lapsed_accounts.sql", ids=ids, act_id=act.act_id)
    run_file(db, "queries/voucher/lapse.sql", ids=ids, amounts=list(amounts.values()), act_id=act.act_id)


def open_vouchers(db: Connection, programme: str) -> Sequence[Mapping[str, Any]]:
    """List the vouchers of a programme that are not closed."""
    return query(db, "queries/voucher/due.sql", programme_id=programme)


approval.declare(KIND, _move)


def use(row: Mapping[str, Any]) -> str:
    """Say how far a voucher is redeemed, as its balances say it; what lapsed was not used."""
    if row["granted_fen"] == 0:
        return "unused"
    return "partly_redeemed" if row["left_fen"] or row["lapsed_fen"] else "used_up"


def shown(row: Mapping[str, Any]) -> str:
    """Say the state of a voucher in a few words."""
    words = STATES[row["state"]] if row["state"] != "issued" else _USES[use(row)]
    return words + ("（企业冻结）" if row["company_frozen"] else "")


def called(what: str) -> str:
    """Say in a word what happened to a voucher."""
    return _EVENTS.get(what) or STATES[what.rsplit(":", 1)[1]]

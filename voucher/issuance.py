"""Issue vouchers ahead of the first settlement: all that are due for a year, or one by hand, never above the cap."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from voucher import acts, approval, ledger
from voucher.access import User
from voucher.acts import canonical
from voucher.database import one, query, run_file
from voucher.errors import Misused, Refused
from voucher.money import Fen, format_yuan

KIND = "voucher_issue"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a year's vouchers rest on. cap_fen: of the year, 0 when no day of it is covered.

    documents: the programme's, each with from_on and until_on (exclusive, ISO) in force and its categories.
    """

    programme: str
    year: int
    cap_fen: Fen
    documents: Sequence[Mapping[str, Any]]


def propose_due(db: Connection, user: User, terms: Terms) -> int | None:
    """Propose the voucher of every company qualified in the year that has none; its face is the cap.

    Returns the proposal's act id, None when none is due. Raises Refused.
    """
    _check_year(terms)
    due = [row["company"] for row in _qualified(db, terms) if not row["has_voucher"]]
    if not due:
        return None
    return _propose(db, user, terms, "all", [{"company": each, "face_fen": terms.cap_fen} for each in due])


def propose_by_hand(db: Connection, user: User, terms: Terms, company: str, face_fen: Fen) -> int:
    """Propose one company's voucher with a face of its own; such a face stays when the cap is amended.

    Returns the proposal's act id. Raises Misused or Refused.
    """
    _check_year(terms)
    if face_fen <= 0:
        raise Misused("bad_face", "券面额须大于 0。")
    if face_fen > terms.cap_fen:
        cap = format_yuan(terms.cap_fen, grouped=True)
        raise Refused("above_cap", f"券面额不能超过{terms.year}年度上限{cap}元，请改小后重新提交。")
    found = _qualified(db, terms, company)
    if not found:
        raise Refused(
            "not_qualified",
            f"企业 {company} 在{terms.year}年度没有支持资格，不能发券。请先用 cvl registry import 登记。",
        )
    if found[0]["has_voucher"]:
        raise Refused("voucher_exists", f"企业 {company} 已有{terms.year}年度的券。请用 cvl voucher list 查看。")
    return _propose(db, user, terms, company, [{"company": company, "face_fen": face_fen}])


def _check_year(terms: Terms) -> None:
    """Refuse a year of which the policy covers no day."""
    if not terms.cap_fen:
        raise Refused("year_not_covered", f"政策不覆盖{terms.year}年度，没有可发放的券。请核对年度。")


def _qualified(db: Connection, terms: Terms, company: str = "") -> Sequence[Mapping[str, Any]]:
    """List the companies qualified in the year as known now."""
    return query(
        db,
        "queries/voucher/qualified.sql",
        cutoff=acts.cutoff(db),
        programme_id=terms.programme,
        year=terms.year,
        documents=canonical(list(terms.documents)),
        company=company,
    )


def _propose(db: Connection, user: User, terms: Terms, subject: str, vouchers: Sequence[Mapping[str, Any]]) -> int:
    """Propose vouchers; what was decided before does not stand in the way, what still waits does."""
    stem = f"{terms.programme}:{terms.year}:{subject}:"
    earlier = one(db, "queries/proposal/earlier.sql", kind=KIND, stem=stem)
    assert earlier is not None
    payload = {
        "programme": terms.programme, "year": terms.year, "cap_fen": terms.cap_fen,
        "by_hand": subject != "all", "vouchers": list(vouchers),
    }  # fmt: skip
    total = format_yuan(sum(each["face_fen"] for each in vouchers), grouped=True)
    words = f"发放{terms.year}年度算力券{len(vouchers)}张，面额合计{total}元"
    try:
        with acts.act(db, KIND, f"{stem}{earlier['decided'] + 1}", user.name, payload) as act:
            return approval.propose(db, act, KIND, words, payload, user)
    except acts.AlreadyDone as done:
        return done.act_id
    except Refused as refusal:
        if refusal.code == "reference_conflict":
            raise Refused(
                "proposal_pending",
                f"{terms.year}年度的发券事项 {earlier['waiting']} 尚待复核。请先批准、退回或撤回，再重新提交。",
            ) from None
        raise


def _issue(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Issue approved vouchers: the vouchers, their first moves, their accounts and their faces, one journal."""
    payload = json.loads(proposal.payload)
    run_file(db, "queries/policy/lock_programme.sql", programme_id=payload["programme"])
    newer = one(db, "queries/voucher/policy_since.sql", programme_id=payload["programme"], act_id=proposal.act_id)
    if newer is not None:
        raise Refused("stale", f"提交之后登记了新的政策文件 {newer['policy_id']}，上限可能已变。请退回后重新提交。")
    issued = run_file(
        db,
        "queries/voucher/issue.sql",
        programme_id=payload["programme"],
        year=payload["year"],
        by_hand=payload["by_hand"],
        vouchers=canonical(payload["vouchers"]),
        act_id=act.act_id,
    )
    if payload["by_hand"] and not issued:
        raise Refused("voucher_exists", "提交之后该企业的券已由结算自动发放。请退回本事项。")
    run_file(db, "queries/voucher/first_moves.sql", act_id=act.act_id)
    run_file(db, "queries/voucher/accounts.sql", act_id=act.act_id)
    run_file(db, "queries/voucher/faces.sql", act_id=act.act_id)
    ledger.update_balances(db, act)
    return {"year": payload["year"], "issued": issued, "already_there": len(payload["vouchers"]) - issued}


approval.declare(KIND, _issue)

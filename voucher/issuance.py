"""Issue vouchers ahead of the first settlement: all that are due for a year, or one by hand, never above the cap."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from voucher import acts, approval, ledger, life
from voucher.access import User
from voucher.acts import canonical
from voucher.database import one, query, run_file
from voucher.errors import Misused, Refused
from voucher.money import Fen, format_yuan
from voucher.wording import one_line

KIND = "voucher_issue"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a year's vouchers rest on. cap_fen: of the year, 0 when no day of it is covered.

    documents: the programme's, each with from_on and until_on (exclusive, ISO) in force and its categories.
    named: the programme in brackets where there are several, else empty.
    """

    programme: str
    year: int
    cap_fen: Fen
    documents: Sequence[Mapping[str, Any]]
    named: str


def propose_due(db: Connection, user: User, terms: Terms) -> int | None:
    """Propose the voucher of every company qualified in the year that has none; its face is the cap.

    Returns the proposal's act id, None when none is due. Raises Refused.
    """
    _check_year(terms)
    due = [row["company"] for row in _qualified(db, terms) if not row["has_voucher"]]
    if not due:
        return None
    return _propose(db, user, terms, "all", [{"company": each, "face_fen": terms.cap_fen} for each in due])


def propose_by_hand(
    db: Connection, user: User, terms: Terms, company: str, face_fen: Fen | None, reference: str = ""
) -> int:
    """Propose one company's voucher with a face of its own; such a face stays when the cap is amended.

    face_fen: None for as much as may be. reference: number of the company's application, which the approval reviews.
    Returns the proposal's act id. Raises Misused or Refused.
    """
    _check_year(terms)
    if reference and ("|" in reference or not one_line(reference)):
        raise Misused("bad_reference", "请写明申请书编号，不能含 | 或换行。")
    if face_fen is not None and face_fen <= 0:
        raise Misused("bad_face", "券面额须大于 0。")
    found = _qualified(db, terms, company)
    if not found:
        raise Refused(
            "not_qualified",
            f"企业 {company} 在{terms.year}年度没有支持资格，不能发券。请先用 cvl registry import 登记。",
        )
    if found[0]["has_voucher"]:
        said: dict[str, object] = {"application": reference} if reference else {}
        if face_fen is not None:
            said["vouchers"] = [{"company": company, "face_fen": face_fen}]
        first = approval.done_before(db, KIND, _stem(terms, company), said) if said else None
        if first is not None:
            return first
        raise Refused("voucher_exists", f"企业 {company} 已有{terms.year}年度的券。请用 cvl voucher list 查看。")
    face_fen = _check_face(db, terms.programme, terms.year, company, face_fen, terms.cap_fen)
    return _propose(db, user, terms, company, [{"company": company, "face_fen": face_fen}], reference)


def _check_face(db: Connection, programme: str, year: int, company: str, face_fen: Fen | None, cap_fen: Fen) -> Fen:
    """Return the face, all that may be for None. Raises Refused above the cap less what merged companies used."""
    left = cap_fen - _merged_use(db, programme, year, company)
    if left <= 0 or (face_fen or 0) > left:
        cap = format_yuan(max(0, left), grouped=True)
        raise Refused("above_cap", f"券面额不能超过{year}年度上限{cap}元，请改小后重新提交。")
    return left if face_fen is None else face_fen


def _merged_use(db: Connection, programme: str, year: int, company: str) -> Fen:
    """Return what companies merged into this one have been granted of the year."""
    used = query(db, "queries/voucher/merged_use.sql", company=company, own=False)
    return sum(row["used_fen"] for row in used if (row["programme_id"], row["year"]) == (programme, year))


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


def _propose(
    db: Connection, user: User, terms: Terms, subject: str, vouchers: Sequence[Mapping[str, Any]], reference: str = ""
) -> int:
    """Propose vouchers. reference: of the application, empty without one."""
    payload = {
        "programme": terms.programme, "year": terms.year, "cap_fen": terms.cap_fen,
        "by_hand": subject != "all", "vouchers": list(vouchers),
    }  # fmt: skip
    if reference:
        payload["application"] = reference
    total = format_yuan(sum(each["face_fen"] for each in vouchers), grouped=True)
    words = f"发放{terms.year}年度算力券{terms.named}{len(vouchers)}张，面额合计{total}元" + (
        f"（申请 {reference}）" if reference else ""
    )
    return approval.propose_next(db, KIND, _stem(terms, subject), words, payload, user)


def _stem(terms: Terms, subject: str) -> str:
    """Return what the references begin with of all that is proposed about a company's voucher of a year, or `all`."""
    return f"{terms.programme}:{terms.year}:{subject}:"


def issue(
    db: Connection, act: acts.Act, programme: str, year: int, faces: Mapping[str, Fen], *, by_hand: bool = False
) -> int:
    """Write the vouchers of companies (USCC to face) that have none of the year; `furnish` follows."""
    return run_file(
        db,
        "queries/voucher/issue.sql",
        programme_id=programme,
        year=year,
        by_hand=by_hand,
        vouchers=canonical([{"company": company, "face_fen": fen} for company, fen in faces.items()]),
        act_id=act.act_id,
    )


def furnish(db: Connection, act: acts.Act) -> None:
    """Write the first moves, the accounts and the faces of the vouchers that an act issued; balances come after."""
    run_file(db, "queries/voucher/first_moves.sql", act_id=act.act_id)
    run_file(db, "queries/voucher/accounts.sql", act_id=act.act_id)
    run_file(db, "queries/voucher/faces.sql", act_id=act.act_id)


def _issue(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Issue approved vouchers: the vouchers, their first moves, their accounts and their faces, one journal."""
    payload = json.loads(proposal.payload)
    run_file(db, "queries/policy/lock_programme.sql", programme_id=payload["programme"])
    newer = one(db, "queries/voucher/policy_since.sql", programme_id=payload["programme"], act_id=proposal.act_id)
    if newer is not None:
        raise Refused("stale", f"提交之后登记了新的政策文件 {newer['policy_id']}，上限可能已变。请退回后重新提交。")
    faces = {each["company"]: each["face_fen"] for each in payload["vouchers"]}
    barred = query(db, "queries/voucher/barred.sql", companies=list(faces), year=payload["year"])
    if barred:
        raise Refused(
            "stale",
            f"提交之后，企业 {'、'.join(row['company'] for row in barred[:3])}{'等' if len(barred) > 3 else ''}"
            f"已被合并或失去{payload['year']}年度的支持资格。请退回后重新提交。",
        )
    if payload["by_hand"]:
        company, face_fen = next(iter(faces.items()))
        _check_face(db, payload["programme"], payload["year"], company, face_fen, payload["cap_fen"])
        faces[company] = face_fen + _merged_use(db, payload["programme"], payload["year"], company)
    issued = issue(db, act, payload["programme"], payload["year"], faces, by_hand=payload["by_hand"])
    if payload["by_hand"] and not issued:
        raise Refused("voucher_exists", "提交之后该企业的券已由结算自动发放。请退回本事项。")
    furnish(db, act)
    _absorb(db, act)
    ledger.update_balances(db, act)
    return {"year": payload["year"], "issued": issued, "already_there": len(payload["vouchers"]) - issued}


def _absorb(db: Connection, act: acts.Act) -> None:
    """Take off new vouchers what companies merged into theirs before have used: both share one cap, and one face."""
    if run_file(db, "queries/voucher/absorb_before.sql", act_id=act.act_id):
        rows = query(db, "queries/voucher/absorbed_by.sql", act_id=act.act_id)
        life.lapse(db, act, {row["voucher_id"]: row["used_fen"] for row in rows})


def check_unshared(db: Connection, act: acts.Act) -> None:
    """See that no voucher which a run has just issued shares its cap with a merged company that has used some of it.

    A merger issues the survivor's voucher by itself; only one under a document that issued by application does not.
    The run was drafted with the whole cap. Raises Refused with the way out.
    """
    if run_file(db, "queries/voucher/absorb_before.sql", act_id=act.act_id):
        rows = query(db, "queries/voucher/absorbed_by.sql", act_id=act.act_id)
        companies = "、".join(sorted({row["company"] for row in rows}))
        raise Refused(
            "cap_shared",
            f"企业 {companies} 与被合并企业合用一份上限，被合并企业已用的额度还没有扣除。"
            "请退回本批结算，先为该企业发券（cvl voucher issue），批准后再重新起草。",
        )


approval.declare(KIND, _issue)

"""Resolve a conflict: a person decides which document of an invoice number holds, a second person approves it.

Kept are the bytes of every document; what is decided is which one counts. Of an accepted invoice its amounts and
lines count from the approval on (an adjustment, never a change of what was written); one that waits is accepted.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from importers import books, stage, usage
from voucher import acts, approval
from voucher.access import User
from voucher.database import one, query, run_file
from voucher.days import business_day
from voucher.errors import Refused
from voucher.money import format_yuan

KIND = "invoice_resolution"
SHORTEST = 8
"""Characters of a document's SHA-256 that are enough to name it."""
_PIPELINE = ("11_waiting", "10_lock_buckets", "20_several", "21_entry", "22_own_faults", "30_judged")
_WRITING = ("50_providers", "51_provider_names", "70_invoices", "71_lines", "72_further")
Row = Mapping[str, Any]

KINDS = {
    "xml": "数电票 XML", "ofd": "OFD", "export": "税务局导出", "pdf": "PDF", "template": "模板行", "qr": "二维码",
}  # fmt: skip
"""Kind of a document to what it is called on screen."""
STATES = {"own": "受理时的单据", "evidence": "佐证", "conflict": "冲突", "held": "暂存"}
"""State of a document to what it is called on screen."""


def documents(db: Connection, number: str, cutoff: int = acts.NOW) -> Sequence[Row]:
    """List the documents handed in under a number by a seal number, oldest first, and which of them counted."""
    return query(db, "queries/evidence/documents.sql", number=number, cutoff=cutoff)


def propose(db: Connection, user: User, number: str, keep: str, why: str) -> int:
    """Propose which document of a number holds. keep: the beginning of its SHA-256. Returns the proposal's act id.

    Raises Refused: no such document, other parties or colour, no tax codes, a proposal that waits already.
    """
    if not why.strip():
        raise Refused("why", "请写明理由。")
    chosen = _chosen(documents(db, number), number, keep)
    stem, same = f"{number}:", {"keep": chosen["sha256"], "kind": chosen["kind"], "why": why}
    if chosen["counts"] and (first := approval.done_before(db, KIND, stem, same)) is not None:
        return first
    accepted = one(db, "queries/evidence/invoice.sql", number=number)
    _check(chosen, accepted)
    payload = same | {
        "number": number, "upload": chosen["upload_id"], "file": chosen["file_name"], "gross_fen": chosen["gross_fen"],
        "gross_now_fen": accepted["gross_fen"] if accepted else None,
    }  # fmt: skip
    subject = f"发票 {number} 以{chosen['sha256'][:12]}（{chosen['file_name']}）为准".replace("|", "/")
    return approval.propose_next(db, KIND, stem, subject, payload, user)


def _chosen(found: Sequence[Row], number: str, keep: str) -> Row:
    """Find the document that is meant. Raises Refused."""
    if not found:
        raise Refused("no_invoice", f"没有收到过发票 {number} 的单据。请核对号码，或用 cvl invoice list 查看。")
    wanted = keep.strip().lower()
    named = [row for row in found if len(wanted) >= SHORTEST and row["sha256"].startswith(wanted)]
    if len({(row["upload_id"], row["kind"]) for row in named}) > 1 and len({row["sha256"] for row in named}) == 1:
        named = named[-1:]  # the same bytes handed in again
    if len(named) != 1:
        raise Refused(
            "no_document",
            f"发票 {number} 没有以“{keep}”开头的唯一一份单据。"
            f"请从 cvl invoice show {number} 的“单据”中抄写摘要，至少{SHORTEST}位。",
        )
    return named[0]


def _check(chosen: Row, accepted: Row | None) -> None:
    """Refuse a document that cannot take the place of what is there."""
    if why := refusal(chosen, accepted):
        raise why


def refusal(chosen: Row, accepted: Row | None) -> Refused | None:
    """Return why a document cannot take the place of what is there, None when it can."""
    if chosen["state"] == "own":
        return None
    if not chosen["has_lines"]:
        return Refused(
            "no_tax_codes", "这份单据没有税收分类编码，不能以它为准。请导入同一发票的数电票 XML、模板行或税务局导出。"
        )
    if accepted is None or chosen["state"] == "evidence":
        return None
    if chosen["invoice_kind"] != accepted["kind"]:
        return Refused("kind_differs", "这份单据与已受理发票的蓝字、红字不同，不能以它为准。请核对原件。")
    if (chosen["company"], chosen["provider"]) != (accepted["company"], accepted["provider"]):
        return Refused(
            "parties_differ",
            "这份单据的供方或用方与已受理的发票不同，不能以它为准。请由开票方冲红后重开，并上传红字和新发票。",
        )
    return None


def _resolve(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Carry out an approved resolution."""
    payload = json.loads(proposal.payload)
    number, upload_id, kind = payload["number"], payload["upload"], payload["kind"]
    query(db, "queries/evidence/lock_number.sql", number=number)
    chosen = next((row for row in documents(db, number) if (row["upload_id"], row["kind"]) == (upload_id, kind)), None)
    accepted = one(db, "queries/evidence/invoice.sql", number=number)
    if chosen is None or (accepted is None) != (payload["gross_now_fen"] is None):
        raise Refused("stale", f"提交之后发票 {number} 的单据有变动。请退回后重新提交。")
    _check(chosen, accepted)
    evidence_act_id = chosen["evidence_act_id"]
    if accepted is None:
        _accept(db, act, number, upload_id, kind)
    elif chosen["state"] in ("conflict", "held"):
        keeping = {"number": number, "upload_id": upload_id, "kind": kind, "act_id": act.act_id}
        run_file(db, "queries/evidence/keep_rows.sql", **keeping)
        books.write_further(db)
        evidence_act_id = act.act_id
    run_file(
        db,
        "queries/evidence/resolve.sql",
        number=number,
        act_id=act.act_id,
        upload_id=upload_id,
        evidence_act_id=evidence_act_id,
        kind=kind if evidence_act_id is not None else None,
        why=payload["why"],
        **{name: chosen[name] for name in ("net_fen", "tax_fen", "gross_fen")},
    )
    if over := one(db, "queries/evidence/overdrawn.sql", number=number):
        left = format_yuan(over["gross_fen"], grouped=True)
        raise Refused("red_exceeds_blue", f"以这份单据为准，红字将超过蓝字发票（冲减后{left}元）。请先核对红字发票。")
    return {"invoice_number": number, "keep": payload["keep"], "gross": format_yuan(chosen["gross_fen"])}


def _accept(db: Connection, act: acts.Act, number: str, upload_id: int, kind: str) -> None:
    """Accept what waits, as the act that brings what it waited for does. Raises Refused when it still waits."""
    stage.make_tables(db)
    upload = {"upload_id": act.act_id, "evidence": kind}
    books.hand_in(db, [upload], provider="", service_month="", received_on=business_day(), span=None)
    keeping = {"number": number, "upload_id": upload_id, "kind": kind, "act_id": act.act_id}
    run_file(db, "queries/evidence/stage_kept.sql", **keeping)
    for name in _PIPELINE:
        run_file(db, f"queries/import/{name}.sql")
    books.claim(db)
    judged = one(db, "queries/evidence/judged.sql", number=number)
    if judged is None or judged["outcome"] != "accepted":
        why = STILL.get(judged["code"] if judged else "", "单据有错误")
        raise Refused("still_waits", f"发票 {number} 还不能受理（{why}）。请补齐后重新提交。")
    for name in _WRITING:
        run_file(db, f"queries/import/{name}.sql")
    books.write_further(db)
    usage.take_up(db)


STILL = {
    "service_span_missing": "没有服务期间", "original_missing": "原发票还没有受理",
    "unknown_company": "用方不在支持企业名单内", "past_claim_deadline": "已超过申报截止日",
    "red_exceeds_blue": "红字超过原发票", "red_parties_differ": "红字与原发票的双方不同",
    "original_is_red": "原发票也是红字发票",
}  # fmt: skip
"""Code of a judgement to why an invoice cannot be accepted yet."""


approval.declare(KIND, _resolve)

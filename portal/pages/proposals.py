"""What needs a second person: the list, one with its content and digest, the decision."""

import json
from typing import Any

from starlette.responses import Response

from importers import resolve
from portal.page import Page, Visit, post
from portal.show import show
from reconciliation import decisions
from voucher import approval, life
from voucher.entry import NUMBER, TEXT

STATES = {"proposed": "待复核", "approved": "已批准", "rejected": "已退回", "withdrawn": "已撤回"}
_SAID = {"approved": "已批准", "rejected": "已退回", "withdrawn": "已撤回"}
_RIGHT = {"approved": "approve", "rejected": "reject", "withdrawn": "withdraw"}


NAMES = {
    "amount": "金额",
    "year": "年度",
    "reference": "编号",
    "why": "理由",
    "programme": "事项",
    "run": "结算批次",
    "lines": "行数",
    "invoice_number": "发票号码",
    "number": "发票号码",
    "digest": "摘要",
    "vouchers": "券",
    "unspent": "未用余额",
    "totals": "合计",
    "granted": "补贴额",
    "withheld": "上限核减",
    "recovered": "追回",
    "through": "结算至",
    "policies": "政策文件",
    "cutoff": "截至账本号",
    "company": "企业",
    "face": "面额",
    "cap": "年度上限",
    "cap_year": "年度",
    "by_hand": "手工发放",
    "capitals": "大写金额",
    "payments": "付款",
    "left_out": "未列入笔数",
    "keep": "采用的单据",
    "kind": "种类",
    "upload": "上传号",
    "file": "文件",
    "gross": "价税合计",
    "gross_now": "现价税合计",
    "received_on": "申报日",
    "booked_on": "入账日",
    "on": "日期",
    "to": "变更为",
    "from": "变更前",
    "noun": "对象",
    "id": "编号",
    "step": "次序",
    "refused": "不予兑付",
    "references": "付款编号",
    "line": "行",
    "name": "名称",
    "absorbed": "被合并企业",
    "survivor": "存续企业",
    "holder": "户名",
    "bank": "开户银行",
    "account": "账号尾号",
    "clearing_no": "联行号",
    "sha256": "摘要",
    "accounts": "收款账户",
    "subject": "对象",
    "application": "申请书编号",
    "last4": "账号尾号",
}
"""Name in a payload to what it is called on screen."""
VALUES = {
    "from": life.STATES, "to": life.STATES, "noun": {"voucher": "券", "company": "企业"}, "kind": resolve.KINDS,
}  # fmt: skip
"""Name in a payload to what its values are called on screen."""


def waiting(visit: Visit) -> Response:
    """List what waits for a decision."""
    return show(visit, "proposals.html", rows=visit.read(approval.pending), words=approval.WORDS)


def shown(visit: Visit) -> Response:
    """Show one with its content: what stands by itself as names and values, each list as a table."""
    found = visit.read(lambda db: approval.find(db, visit.path("id", NUMBER)))
    payload = json.loads(found.payload)
    if isinstance(payload, list):
        payload = {"accounts": payload}
    if found.kind == "run":
        return visit.go(f"/runs/{payload['run']}")
    tables = {k: v for k, v in payload.items() if isinstance(v, list) and v and isinstance(v[0], dict)}
    return show(
        visit, "proposal.html", found=found, single=flat({k: v for k, v in payload.items() if k not in tables}),
        tables=tables, called=called, words=approval.WORDS, states=STATES,
    )  # fmt: skip


def called(key: str) -> str:
    """Say what a part of a payload is called; one in fen is money."""
    plain = key.removesuffix("_fen")
    return NAMES.get(plain, plain)


def flat(value: Any, key: str = "", name: str = "") -> list[tuple[str, str, Any]]:
    """Lay a payload out as names on screen, keys and values."""
    if isinstance(value, dict):
        return [entry for k, each in value.items() for entry in flat(each, k, f"{name} {called(k)}".strip())]
    if isinstance(value, list):
        return [(name, key, "、".join(map(str, value)))]
    return [(name, key, VALUES.get(key, {}).get(value, value))]


def _decide(visit: Visit, verdict: str) -> Response:
    act_id = visit.path("id", NUMBER)
    typed = visit.fill({"why": TEXT} if verdict == "rejected" else {"digest": TEXT} if verdict == "approved" else {})
    visit.act(
        _RIGHT[verdict],
        lambda db, user: decisions.decide(
            db, act_id, verdict, user, why=typed.get("why") or "", digest=typed.get("digest")
        ),
    )
    return visit.go("/proposals", f"{_SAID[verdict]}事项 {act_id}。")


def approve(visit: Visit) -> Response:
    """Approve what was shown: the digest of the page goes with it."""
    return _decide(visit, "approved")


def reject(visit: Visit) -> Response:
    """Send back, with a reason."""
    return _decide(visit, "rejected")


def withdraw(visit: Visit) -> Response:
    """Take back one's own."""
    return _decide(visit, "withdrawn")


PAGES = (
    Page("/proposals", waiting, "view proposals", nav="复核"),
    Page("/proposals/{id}", shown, "view proposals"),
    post("/proposals/{id}/approve", approve, "approve", shown),
    post("/proposals/{id}/reject", reject, "reject", shown),
    post("/proposals/{id}/withdraw", withdraw, "withdraw", shown),
)

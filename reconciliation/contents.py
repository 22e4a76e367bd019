"""What a proposal holds, in the words of those who decide: names and values, and each list as a table."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from importers import resolve
from voucher import life
from voucher.approval import Proposal

STATES = {"proposed": "待复核", "approved": "已批准", "rejected": "已退回", "withdrawn": "已撤回"}
"""State of a proposal to what it is called on screen."""
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


def laid_out(found: Proposal) -> tuple[Sequence[tuple[str, str, Any]], Mapping[str, Sequence[Mapping[str, Any]]]]:
    """Lay a proposal's payload out: what stands by itself as name, key and value; lists of rows by key."""
    payload = json.loads(found.payload)
    if isinstance(payload, list):
        payload = {"accounts": payload}
    tables = {k: v for k, v in payload.items() if isinstance(v, list) and v and isinstance(v[0], dict)}
    return flat({k: v for k, v in payload.items() if k not in tables}), tables


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

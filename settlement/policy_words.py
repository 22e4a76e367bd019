"""How a policy document's numbers are written for people: name, unit, value, and what each rests on."""

from collections.abc import Callable, Mapping
from typing import Any

from settlement.policy import Policy
from voucher.money import format_yuan

Shape = Callable[[Any], str]
_WORDS = {
    "net": "不含税", "service_day": "服务日", "down": "舍去不足一分的部分", "company": "企业",
    "automatic": "自动发放", "application": "凭申请发放", "exclusive": "不重复享受", "top_up": "补足差额",
    "joint_limit": "合计封顶", "refuse": "不予提交", "pro_rata": "按比例", "listed": "先列示、指定后补付",
}  # fmt: skip


def _percent(bp: int) -> str:
    return f"{bp // 100}.{bp % 100:02d}".rstrip("0").rstrip(".") + "%"


PARAMETERS: Mapping[str, tuple[str, str, Shape]] = {
    "rate_bp": ("补贴比例", "万分之一", _percent),
    "annual_cap_fen": ("企业年度上限", "元", lambda fen: f"{format_yuan(fen, grouped=True)}元"),
    "categories": ("支持类别", "", lambda words: "、".join(words.values())),
    "amount_basis": ("计算口径", "", lambda word: _WORDS[word] + "金额"),
    "cap_year_by": ("年度归属", "", lambda word: f"按{_WORDS[word]}所在公历年"),
    "rounding": ("尾数", "", _WORDS.__getitem__),
    "payee": ("收款方", "", _WORDS.__getitem__),
    "approve_before_disclosure": (
        "批准与公示",
        "",
        lambda first: "先批准，后公示" if first else "先公示，后批准",
    ),
    "issuance": ("发券方式", "", _WORDS.__getitem__),
    "overlap": ("与其他补贴", "", _WORDS.__getitem__),
    "joint_limit_bp": ("合计上限比例", "万分之一", _percent),
    "related_party_share_bp": ("关联方持股", "万分之一", lambda bp: f"{_percent(bp)}及以上"),
    "claim_deadline": ("申报截止", "月-日", lambda day: f"次年{int(day[:2])}月{int(day[3:])}日"),
    "disclosure_working_days": ("公示期", "工作日", lambda days: f"{days}个工作日"),
    "over_budget": ("指标不足时", "", _WORDS.__getitem__),
    "backfill": ("补付", "", _WORDS.__getitem__),
    "tax_verification": ("结算前查验发票", "", lambda word: {"none": "不要求", "required": "须查验一致"}[word]),
    "usage_sum": ("用量合计与发票不符时", "", lambda word: {"warn": "提示", "hold": "暂缓兑付"}[word]),
    "usage_sum_tolerance_fen": ("用量合计容许的差额", "元", lambda fen: f"{format_yuan(fen, grouped=True)}元"),
    "min_spend_fen": ("最低使用金额", "元", lambda fen: f"{format_yuan(fen, grouped=True)}元" if fen else "不设"),
    "eligible_tax_codes": ("支持的税收分类编码", "前缀", "、".join),
}
"""Parameter to its name on screen, its unit, and how its value is written for people."""


def marked(parameter: Mapping[str, Any]) -> str:
    """Say whether a parameter is cited or assumed."""
    return "、".join(word for word, key in (("原文", "article"), ("假定", "assumed")) if parameter[key])


def basis(parameter: Mapping[str, Any]) -> str:
    """Write what a parameter rests on."""
    words = [f"“{parameter['article'].strip('“”')}”"] if parameter["article"] else []
    if parameter["assumed"]:
        words.append(f"假定：{parameter['assumed']}" if words else parameter["assumed"])
    return "；".join(words)


def written(policy: Policy, name: str) -> str:
    """Write the value of a parameter for people."""
    value = getattr(policy, name)
    return "无" if value is None else PARAMETERS[name][2](value)


def parameter(policy: Policy, name: str) -> dict[str, Any]:
    """Write one parameter with its unit and ground."""
    value = getattr(policy, name)
    label, unit, shape = PARAMETERS[name]
    ground = policy.grounds[name]
    plain = format_yuan(value) if name.endswith("_fen") else dict(value) if isinstance(value, Mapping) else value
    return {
        "name": name, "label": label, "value": plain, "unit": unit, "text": shape(value),
        "article": ground.article, "assumed": ground.assumed,
    }  # fmt: skip

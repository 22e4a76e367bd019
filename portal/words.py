"""What the books call by a name of their own, to what it is called on screen."""

from voucher import approval

ACTS = {
    **approval.WORDS,
    "init": "建立账本", "user": "添加用户", "policy": "登记政策", "registry": "登记名单", "mapping": "登记列对应",
    "upload": "上传入账", "usage": "登记用量", "verification": "登记查验", "decision": "复核决定",
    "voucher_expire": "券过期", "disclosure": "公示", "objection": "登记异议", "objection_release": "解除异议",
    "payment_export": "导出付款文件", "payment_result": "登记付款结果", "bank_statement": "导入对账单",
    "bank_match_undo": "撤销人工匹配", "recovery_notice": "告知追回", "flag": "疑点结论", "audit_export": "导出审计包",
    "backup": "备份",
}  # fmt: skip
"""Kind of an act to what it is called on screen."""
ACCOUNTS = {
    "limit:authority": "额度来源", "limit:voucher": "券的剩余额度", "limit:redeemed": "已兑付额度",
    "limit:lapsed": "已失效额度", "money:treasury": "指标来源", "money:appropriation": "指标余额",
    "money:payable": "应付未付", "money:in_transit": "拨付在途", "money:paid": "已付", "money:recoverable": "待收回",
    "money:returned": "已缴回",
}  # fmt: skip
"""Book and kind of an account to what it is called on screen."""


def account(name: str) -> str:
    """Say what an account is for."""
    return ACCOUNTS[":".join(name.split(":")[:2])]


def act(kind: str) -> str:
    """Say what an act is."""
    return ACTS.get(kind, kind)

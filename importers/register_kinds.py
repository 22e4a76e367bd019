"""The kinds of registry files and their columns."""

from dataclasses import dataclass

from importers.columns import Column


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of registry file. title: as shown. usccs and names: the fields that name parties."""

    name: str
    title: str
    columns: tuple[Column, ...]
    usccs: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()


RESULTS = (("一致", "same"), ("不一致", "differs"), ("查无此票", "not_found"), ("已作废", "void"))
"""What the tax platform says of an invoice, to our code."""
KINDS = (
    Kind(
        "companies",
        "企业名单",
        (
            Column("统一社会信用代码", "uscc", "uscc", True),
            Column("企业名称", "name", "text", True),
            Column("类别", "category", "text", True),
            Column("资格起", "from_on", "day", True),
            Column("资格止", "until_on", "day"),
            Column("认定依据", "basis", "text"),
            Column("开户名", "holder", "text"),
            Column("开户银行", "bank", "text"),
            Column("银行账号", "account_no", "text"),
            Column("联行号", "clearing_no", "text"),
        ),
        ("uscc",),
        (("uscc", "name"),),
    ),
    Kind(
        "providers",
        "服务商名单",
        (
            Column("统一社会信用代码", "uscc", "uscc", True),
            Column("服务商名称", "name", "text", True),
            Column("入库起", "from_on", "day", True),
            Column("入库止", "until_on", "day"),
        ),
        ("uscc",),
        (("uscc", "name"),),
    ),
    Kind(
        "relations",
        "关联关系",
        (
            Column("供方统一社会信用代码", "provider_uscc", "uscc", True),
            Column("用方统一社会信用代码", "company_uscc", "uscc", True),
            Column("关系", "kind", "choice", True, (("持股", "shareholding"), ("同一实控人", "common_control"))),
            Column("比例", "share_bp", "text"),
            Column("起", "from_on", "day", True),
            Column("止", "until_on", "day"),
        ),
        ("provider_uscc", "company_uscc"),
    ),
    Kind(
        "subsidies",
        "其他补贴",
        (
            Column("发票号码", "invoice_number", "id", True),
            Column("政策名称", "policy_name", "text", True),
            Column("已获补贴金额", "amount_fen", "money", True),
            Column("放弃", "waived", "choice", True, (("是", "yes"), ("否", "no"))),
        ),
    ),
    Kind(
        "payments",
        "付款登记",
        (
            Column("发票号码", "invoice_number", "id", True),
            Column("付款日期", "paid_on", "day", True),
            Column("流水号", "reference", "reference", True),
            Column("金额", "amount_fen", "money", True),
        ),
    ),
    Kind(
        "contracts",
        "合同登记",
        (
            Column("合同编号", "contract_no", "reference", True),
            Column("供方统一社会信用代码", "provider_uscc", "uscc", True),
            Column("用方统一社会信用代码", "company_uscc", "uscc", True),
            Column("合同金额", "amount_fen", "money", True),
            Column("起", "from_on", "day", True),
            Column("止", "until_on", "day"),
        ),
        ("provider_uscc", "company_uscc"),
    ),
    Kind(
        "verifications",
        "查验结果",
        (
            Column("发票号码", "invoice_number", "id", True),
            Column("查验日期", "checked_on", "day", True),
            Column("查验结果", "result", "choice", True, RESULTS),
            Column("查验人", "checked_by", "text", True),
        ),
    ),
)
"""The registry files of DESIGN section 8, in the order in which a header is tried."""

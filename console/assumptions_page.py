"""Write the page of assumptions that the bureau has to confirm: every one that the policy files and the rules make.

`python -m console.assumptions_page > docs/assumptions.md`
"""

from collections.abc import Iterator

from settlement.policy import Policy, shipped
from settlement.policy_words import PARAMETERS

RULES = (
    (
        "企业合并",
        "自合并日所在年度起双方合用存续企业的一份上限，被合并企业已用的额度从中扣除；以前年度不变。"
        "被合并企业该年度及以后的发票须先结清才能登记合并，此后不再对其新批补贴。"
        "合并前双方已批的合计超过一份上限的，不追回；以后追回或上限调高而腾出的额度，先抵超过的部分。文件未作规定。",
    ),
    (
        "合并后的款项",
        "被合并企业的补贴由存续企业承继：付入存续企业的账户，结算行与应付账仍记原企业；须追回的款项也由存续企业退回。"
        "依据公司法第二百二十一条：合并各方的债权、债务由合并后存续的公司承继。",
    ),
    (
        "编码不符的红字行、折扣行",
        "税收分类编码不在支持范围内的红字行、折扣行照样冲减：计算基数不超过发票减去红字之后的不含税合计。文件未作规定。",
    ),
    (
        "红冲重开",
        "重开的蓝字发票（原发票号码填同一供需双方、已全额冲红的发票）沿用原发票的申报日期，不沿用受理号。文件未作规定。",
    ),
    (
        "手工面额",
        "手工发放的券面额不随政策调整；政策调低年度上限的，此后的累计补贴不超过调低后的上限。文件未作规定。",
    ),
    (
        "两个事项",
        "一行发票的税收分类编码先后为两个事项所列的，归服务期内最先支持它的事项，直至该事项期满，同一日不由两个事项支付。"
        "文件未作规定。",
    ),
    (
        "合同金额",
        "合同编号、供需双方与合同登记相同、服务起始日在合同起止之内的发票，按受理号依次占用合同金额（含税，减去红字）；"
        "没有登记合同的不受限。文件未作规定。",
    ),
    (
        "申报截止与多份文件",
        "一个年度先后适用几份政策文件的，该年度只有一个申报截止日，以该年度最后一个施行日有效的文件为准。文件未作规定。",
    ),
    (
        "同一发票的多份单据",
        "服务期间、已付金额和合同编号以模板行为准，先后次序不影响结果；有冲突的，以复核批准的单据为准，"
        "此后另有金额相同、证明力更高的单据的，项目明细从其所载。文件未作规定。",
    ),
    ("券的使用情况", "“部分兑付”“已用完”由余额得出，不另作状态登记。"),
    ("券过期", "申报截止日已过、且该企业该年度没有未结算或待核的发票时，剩余额度才失效。"),
    ("政策模拟", "两边都从零计算，凭申请发放的券按上限计，不计企业合并；月份按发票的服务截止日。"),
)  # fmt: skip
"""What no policy file has a parameter for."""


def page() -> str:
    """Return the page: one table per policy file, then the rules."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# 待主管部门确认的假定"
    yield ""
    yield (
        "本页由 `python -m console.assumptions_page` 从政策文件生成。"
        "确认或更改一项，须另立一份政策文件替代原文件，不改程序。"
    )
    for policy in shipped():
        yield ""
        yield f"## {policy.number}{policy.item}《{policy.title}》（{policy.id}）"
        yield ""
        yield "| 项目 | 现在的取值 | 原文 | 假定及理由 | 确认 |"
        yield "|---|---|---|---|---|"
        for name, ground in policy.grounds.items():
            if ground.assumed:
                label, value = _parameter(policy, name)
                yield f"| {label} | {value} | {ground.article} | {ground.assumed} | □ |"
    yield ""
    yield "## 政策文件之外"
    yield ""
    yield "| 项目 | 现在的做法 | 确认 |"
    yield "|---|---|---|"
    for label, words in RULES:
        yield f"| {label} | {words} | □ |"


def _parameter(policy: Policy, name: str) -> tuple[str, str]:
    """Return a parameter's label and its value for people."""
    if name == "effective":
        return "施行期间", f"{policy.span.start}至{policy.span.last}"
    label, _, shape = PARAMETERS[name]
    return label, shape(getattr(policy, name))


if __name__ == "__main__":
    print(page(), end="")

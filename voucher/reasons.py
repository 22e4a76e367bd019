"""Why an amount was cut, refused, held or left out: one shape everywhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voucher.money import format_yuan


@dataclass(frozen=True, slots=True)
class Reason:
    """code: stable identifier; amount_fen: the part concerned; other_fen: a second figure where one is needed."""

    code: str
    amount_fen: int
    other_fen: int | None = None


SENTENCES: Mapping[str, str] = {
    "before_policy": "政策施行前的服务日不计入，对应金额{amount}元。",
    "after_policy": "政策有效期届满后的服务日不计入，对应金额{amount}元。",
    "not_qualified": "企业当日未取得（或已失去）支持资格，对应金额{amount}元不计入；资格有误请联系主管部门更正名单。",
    "not_listed": "服务商当日不在入库名单内，对应金额{amount}元不计入；入库日期有误请联系主管部门更正名单。",
    "related_party": "供需双方当日为关联方，对应金额{amount}元不计入；登记有误请联系主管部门。",
    "past_claim_deadline": "申报超过该年度的截止日，对应金额{amount}元不计入。",
    "tax_code_not_eligible": "税收分类编码不在本事项支持范围内，对应金额{amount}元不计入；编码有误请上传数电票 XML。",
    "red_letter": "红字发票冲减{amount}元，不计入。",
    "corrected": "按核定的凭据，发票金额比受理时少{amount}元，不计入。",
    "unpaid": "尚未付款的部分{amount}元不计入；付款后请提交付款凭据登记，以后批次再算。",
    "over_contract": "超过合同剩余金额的部分{amount}元不计入；合同已增补的请提交补充合同登记。",
    "over_metered": "超过计量账单金额的部分{amount}元不计入；用量明细不全的请补交。",
    "other_subsidy": "同一发票已获其他补贴{other}元，按不重复享受原则核减{amount}元。",
    "other_subsidy_undecided": (
        "同一发票已获其他补贴{other}元，低于本券计算额{amount}元；请企业书面确认是否放弃其他补贴。"
    ),
    "overlap_open": "已兑付{amount}元之后发现同一发票另获补贴{other}元；请确认是否放弃其他补贴，确认前不予拨付。",
    "refused": "经批准不予兑付，核减{amount}元。",
    "below_min_spend": "企业该年度计入的算力服务金额{other}元未达到最低使用金额，{amount}元不予兑付；达到后再算。",
    "over_cap": "超过企业年度上限的部分{amount}元不予兑付（上限核减）。",
    "over_budget": "年度预算指标不足，按比例核减{amount}元。",
    "over_granted": "此前已核定{other}元，超过现在应兑付额的{amount}元追回。",
    "not_verified": "按政策须先到税务平台查验发票，尚无“一致”的查验结果，暂缓兑付{amount}元；请登记查验结果。",
    "usage_sum_differs": "用量合计{other}元与发票金额不符，按政策须先核对，暂缓兑付{amount}元；请补交或更正用量明细。",
    "frozen": "企业的券已冻结，暂缓兑付{amount}元；请联系主管部门，解冻后自动恢复。",
}
"""The Chinese sentence of each code; {amount} and {other} are in yuan."""


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Sort reasons as SENTENCES has them."""
    return tuple(sorted(reasons, key=lambda reason: list(SENTENCES).index(reason.code)))


def reasons_of(stored: Iterable[Mapping[str, Any]]) -> tuple[Reason, ...]:
    """Read the reasons stored with a line."""
    return tuple(Reason(each["code"], each["amount_fen"], each.get("other_fen")) for each in stored)


def sentence(reason: Reason) -> str:
    """Write the reason as a Chinese sentence with its figures. Raises KeyError for an unknown code."""
    return SENTENCES[reason.code].format(
        amount=format_yuan(reason.amount_fen, grouped=True),
        other=format_yuan(reason.other_fen or 0, grouped=True),
    )


def sentences(stored: Iterable[Mapping[str, Any]]) -> str:
    """Write the reasons stored with a line as Chinese sentences."""
    return "".join(map(sentence, reasons_of(stored)))

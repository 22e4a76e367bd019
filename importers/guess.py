"""Guess which column of a provider's own sheet is which of the template's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from importers.columns import header_name
from importers.formats.cq_compute_1 import COLUMNS, VERSION_COLUMN
from importers.limits import LIMITS

SYNONYMS: Mapping[str, str] = {
    "发票号码": "发票号 票号 数电发票号码 数电票号码 全电发票号码 发票编号",
    "发票类型": "蓝红字 红蓝字 发票性质 票据类型",
    "开票日期": "开具日期 开票时间 发票日期",
    "供方统一社会信用代码": "销方识别号 销售方识别号 销方税号 销售方税号 销售方纳税人识别号 供方税号 卖方税号",
    "供方名称": "销方名称 销售方名称 销售方 卖方 供应商 供应商名称 服务商",
    "用方统一社会信用代码": "购方识别号 购买方识别号 购方税号 购买方税号 购买方纳税人识别号 用方税号 客户税号",
    "用方名称": "购方名称 购买方名称 购买方 买方 客户 客户名称 用户名称",
    "合同编号": "合同号 合同 协议编号",
    "服务起始日": "服务开始日期 服务开始 开始日期 起始日期 计费开始 服务起",
    "服务截止日": "服务结束日期 服务结束 结束日期 截止日期 计费结束 服务止",
    "税收分类编码": "税收编码 税收分类 商品编码 商品和服务税收分类编码 税编",
    "项目名称": "货物或应税劳务名称 商品名称 服务名称 品名 项目",
    "规格型号": "规格 型号",
    "计量单位": "单位",
    "用量": "数量 使用量 计费量",
    "不含税金额": "金额 净额 未税金额 税前金额 不含税价",
    "税率": "征收率 税率/征收率",
    "税额": "税金",
    "价税合计": "含税金额 总金额 合计金额 发票金额 含税合计",
    "已付金额": "已付款 实付金额 付款金额 已支付",
    "原发票号码": "被冲红发票号码 原蓝字发票号码 对应蓝票号码 原票号",
    "备注": "说明 摘要",
}
"""Column of the template to the names that others give it."""
_ALIKE = 0.75
NAMES = tuple(column.name for column in COLUMNS if column.name != VERSION_COLUMN)
_EXACT = frozenset(column.name for column in COLUMNS if column.type == "money")
"""Columns never guessed by likeness: 应付金额 and 未付金额 are as like 已付金额 as they are wrong."""


def guess(header: Sequence[str]) -> dict[str, str]:
    """Guess the template's columns in a header row: name of ours to name of theirs. Each is used once.

    A table of more columns than `LIMITS` allows is refused in any case; the others are not looked at.
    """
    theirs = {header_name(cell): cell for cell in header[: LIMITS.columns] if header_name(cell)}
    found: dict[str, str] = {}
    left = dict(theirs)
    for ours in NAMES:
        for word in (ours, *SYNONYMS.get(ours, "").split()):
            if ours not in found and header_name(word) in left:
                found[ours] = left.pop(header_name(word))
    alike = [
        (score, ours, name)
        for ours in NAMES
        if ours not in found and ours not in _EXACT
        for word in (ours, *SYNONYMS.get(ours, "").split())
        for score, name in _alike(word, left)
    ]
    for _, ours, name in sorted(alike, reverse=True):
        if ours not in found and name in left:
            found[ours] = left.pop(name)
    return found


def _alike(word: str, names: Iterable[str]) -> Iterator[tuple[float, str]]:
    """Yield the names that are like a word, and how much; most that are not are told by length and letters alone."""
    matcher = SequenceMatcher(None, "", word)
    for name in names:
        if 2 * min(len(word), len(name)) < _ALIKE * (len(word) + len(name)):
            continue
        matcher.set_seq1(name)
        if matcher.quick_ratio() >= _ALIKE and (score := SequenceMatcher(None, word, name).ratio()) >= _ALIKE:
            yield score, name


def nearest(rows: Sequence[Sequence[str]]) -> tuple[int, dict[str, str]]:
    """Find the row that looks most like a header. Returns its place and the guesses, which may be empty."""
    tried = [(place, guess(row)) for place, row in enumerate(rows)]
    return max(tried, key=lambda entry: (len(entry[1]), -entry[0]), default=(0, {}))

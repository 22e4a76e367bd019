"""The first words of `cvl`: what each is for, and which modules of console/ hold its commands.

A command line loads the modules of its own first word alone; the page of all commands loads none.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import NamedTuple

from console.door import Verb


class Word(NamedTuple):
    """A first word. help: what it is for, in a few words. modules: those of console/ with its commands."""

    help: str
    modules: tuple[str, ...]


SECTIONS: Mapping[str, Mapping[str, Word]] = {
    "准备": {
        "init": Word("建立或升级数据库。", ("basics",)),
        "doctor": Word("检查运行环境：有什么、缺什么、怎样补。", ("basics",)),
        "demo": Word("用随附的合成数据走一遍全程。", ("demo",)),
        "user": Word("用户：谁可以办理什么。", ("users", "portals")),
        "policy": Word("政策文件：每个数字和它的依据。", ("policies",)),
        "simulate": Word("模拟一份政策草案：谁增谁减、合计多少、指标何时用完。", ("simulations",)),
    },
    "登记": {
        "registry": Word("名单：企业、服务商、关联关系、其他补贴、付款、合同。", ("registers",)),
        "budget": Word("年度指标。", ("registers",)),
    },
    "受理": {
        "voucher": Word("算力券：申请、发放、冻结、撤销、过期与查看。", ("vouchers",)),
        "company": Word("企业：冻结、解冻、合并。", ("companies",)),
        "import": Word("导入发票文件：模板、税务局导出、数电票 XML、OFD、PDF。", ("imports",)),
        "import map": Word("为服务商自己的表建立与模板的对应关系。", ("mappings",)),
        "invoice": Word("发票：查看已受理和未受理的。", ("invoices", "resolutions", "verifications")),
    },
    "结算": {
        "settle": Word("结算：起草、提交、复核。", ("settle",)),
    },
    "公示与拨付": {
        "disclose": Word("公示一个已批准的批次。", ("disclosures",)),
        "disclosures": Word("列出公示及异议。", ("disclosures",)),
        "object": Word("登记或解除对某张发票的异议。", ("disclosures",)),
        "refuse": Word("提交一张发票不予兑付。", ("refusals",)),
        "pay": Word("拨付：提出、导出、登记结果。", ("payments",)),
        "bank": Word("银行对账单：导入、匹配。", ("banks",)),
    },
    "复核": {
        "proposals": Word("列出待复核的事项。", ("proposals",)),
        "approve": Word("批准一个待复核的事项。", ("proposals",)),
        "reject": Word("退回一个待复核的事项。", ("proposals",)),
        "withdraw": Word("撤回自己提交、尚未复核的事项。", ("proposals",)),
    },
    "追回": {
        "recovery": Word("追回：须由企业退回的款项。", ("recoveries",)),
    },
    "对账": {
        "explain": Word("显示一张发票的计算底稿：每个数字、怎样算出、依据哪一条。", ("explain",)),
        "reconcile": Word("核对全部账目，并重新计算封存摘要。", ("reconcile",)),
        "report": Word("出报表，写成文件。", ("reconcile",)),
        "flag": Word("疑点：查看与处理。", ("flags",)),
        "audit": Word("审计：导出、核验审计包。", ("audit",)),
        "balance": Word("查看账户余额。", ("balance",)),
    },
    "维护": {
        "jobs": Word("定时任务。", ("jobs",)),
        "serve": Word("启动门户网站：网页和 HTTP API。", ("portals",)),
        "db": Word("数据库：备份与恢复。", ("ledgers",)),
    },
}
"""Section of `cvl --help`, in the order of the walk, to its words."""
WORDS = {word: entry for words in SECTIONS.values() for word, entry in words.items()}


@cache
def verbs(first: str | None = None) -> tuple[Verb, ...]:
    """Load the commands that begin with a word; without one, every command."""
    mine = [entry for word, entry in WORDS.items() if first in (None, word.split(" ")[0])]
    names = dict.fromkeys(name for entry in mine for name in entry.modules)
    return tuple(verb for name in names for verb in import_module(f"console.{name}").VERBS)

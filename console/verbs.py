"""Every command of `cvl`, in the order of the walk."""

from console import (
    audit,
    balance,
    banks,
    basics,
    companies,
    demo,
    disclosures,
    explain,
    flags,
    imports,
    invoices,
    jobs,
    ledgers,
    mappings,
    payments,
    policies,
    proposals,
    reconcile,
    recoveries,
    refusals,
    registers,
    resolutions,
    settle,
    simulations,
    users,
    verifications,
    vouchers,
)
from console.door import Verb

VERBS: tuple[Verb, ...] = (
    *basics.VERBS, *demo.VERBS, *users.VERBS, *policies.VERBS, *registers.VERBS, *vouchers.VERBS, *companies.VERBS,
    *imports.VERBS, *mappings.VERBS, *invoices.VERBS, *resolutions.VERBS, *verifications.VERBS, *settle.VERBS,
    *proposals.VERBS, *recoveries.VERBS, *explain.VERBS, *simulations.VERBS, *reconcile.VERBS, *audit.VERBS,
    *balance.VERBS, *jobs.VERBS, *ledgers.VERBS, *disclosures.VERBS, *payments.VERBS, *banks.VERBS, *flags.VERBS,
    *refusals.VERBS,
)  # fmt: skip
GROUPS = {
    "user": "用户：谁可以办理什么。",
    "policy": "政策文件：每个数字和它的依据。",
    "registry": "名单：企业、服务商、关联关系、其他补贴、付款、合同。",
    "budget": "年度指标。",
    "voucher": "算力券：申请、发放、冻结、撤销、过期与查看。",
    "company": "企业：冻结、解冻、合并。",
    "invoice": "发票：查看已受理和未受理的。",
    "jobs": "定时任务。",
    "db": "数据库：备份与恢复。",
    "audit": "审计：导出、核验审计包。",
    "bank": "银行对账单：导入、匹配。",
    "flag": "疑点：查看与处理。",
    "pay": "拨付：提出、导出、登记结果。",
    "settle": "结算：起草、提交、复核。",
    "recovery": "追回：须由企业退回的款项。",
}
"""Group of commands to its help."""
SECTIONS = (
    ("准备", ("init", "doctor", "demo", "user", "policy", "simulate")),
    ("登记", ("registry", "budget")),
    ("受理", ("voucher", "company", "import", "import map", "invoice")),
    ("结算", ("settle",)),
    ("公示与拨付", ("disclose", "object", "refuse", "pay", "bank")),
    ("复核", ("proposals", "approve", "reject", "withdraw")),
    ("追回", ("recovery",)),
    ("对账", ("explain", "reconcile", "report", "flag", "audit", "balance")),
    ("维护", ("jobs", "db")),
)
"""Sections of `cvl --help` in the order of the walk."""

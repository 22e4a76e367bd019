"""The facts of a case as the rows of the files of DESIGN 8, for a player that goes through the real door."""

from collections.abc import Sequence
from datetime import date

from tests.cases.steps import (
    PARTIES,
    CompanyRow,
    ContractRow,
    InvoiceRow,
    PaymentRow,
    ProviderRow,
    RelationRow,
    SubsidyRow,
    UsageRow,
    number,
)
from voucher.money import format_yuan

Sheet = list[list[str]]
"""A header and its rows, all text."""

COMPANIES = "统一社会信用代码,企业名称,类别,资格起,资格止,认定依据,开户名,开户银行,银行账号,联行号"
PROVIDERS = "统一社会信用代码,服务商名称,入库起,入库止"
RELATIONS = "供方统一社会信用代码,用方统一社会信用代码,关系,比例,起,止"
SUBSIDIES = "发票号码,政策名称,已获补贴金额,放弃"
PAYMENTS = "发票号码,付款日期,流水号,金额"
CONTRACTS = "合同编号,供方统一社会信用代码,用方统一社会信用代码,合同金额,起,止"
USAGE = "发票号码,使用日期,计量单位,用量,不含税金额"
CONTRACT = "HT-2026-001"
TEMPLATE = (
    "模板版本,发票号码,发票类型,开票日期,供方统一社会信用代码,供方名称,用方统一社会信用代码,用方名称,合同编号,"
    "服务起始日,服务截止日,税收分类编码,项目名称,规格型号,计量单位,用量,不含税金额,税率,税额,价税合计,已付金额,"
    "原发票号码,备注"
)


def companies(rows: Sequence[CompanyRow]) -> Sheet:
    """Write the companies register."""
    sheet = [COMPANIES.split(",")]
    for row in rows:
        party = PARTIES[row.company]
        account = [party.name, "重庆银行", f"6222{int(row.company, 36):012d}", "313653000013"]
        sheet.append([party.uscc, party.name, row.category, _day(row.first), _day(row.last), "算例", *account])
    return sheet


def providers(rows: Sequence[ProviderRow]) -> Sheet:
    """Write the providers register."""
    sheet = [PROVIDERS.split(",")]
    for row in rows:
        party = PARTIES[row.provider]
        sheet.append([party.uscc, party.name, _day(row.first), _day(row.last)])
    return sheet


def relations(rows: Sequence[RelationRow]) -> Sheet:
    """Write the relations register; the share in percent."""
    sheet = [RELATIONS.split(",")]
    for row in rows:
        codes = [PARTIES[row.provider].uscc, PARTIES[row.company].uscc]
        sheet.append([*codes, row.kind, format_yuan(row.share_bp), _day(row.first), _day(row.last)])
    return sheet


def subsidies(rows: Sequence[SubsidyRow]) -> Sheet:
    """Write the register of other subsidies."""
    body = [[number(r.invoice), r.policy, format_yuan(r.amount_fen), "是" if r.waived else "否"] for r in rows]
    return [SUBSIDIES.split(","), *body]


def payments(rows: Sequence[PaymentRow]) -> Sheet:
    """Write the register of payments."""
    body = [[number(r.invoice), _day(r.on), r.reference, format_yuan(r.amount_fen)] for r in rows]
    return [PAYMENTS.split(","), *body]


def contracts(rows: Sequence[ContractRow]) -> Sheet:
    """Write the contracts register."""
    body = [
        [
            CONTRACT,
            PARTIES[r.provider].uscc,
            PARTIES[r.company].uscc,
            format_yuan(r.amount_fen),
            _day(r.first),
            _day(r.last),
        ]
        for r in rows
    ]
    return [CONTRACTS.split(","), *body]


def usage(row: UsageRow) -> Sheet:
    """Write our own sheet of usage, net of tax."""
    body = [[number(row.invoice), _day(day), "卡时", "1", f"{yuan:f}"] for day, yuan in row.days]
    return [USAGE.split(","), *body]


def invoices(rows: Sequence[InvoiceRow]) -> Sheet:
    """Write the monthly template of one provider and one day of handing in, one row per invoice line."""
    assert len({(row.provider, row.received_on) for row in rows}) == 1
    return [TEMPLATE.split(","), *(line for row in rows for line in _template_rows(row))]


def _template_rows(row: InvoiceRow) -> Sheet:
    """Write the rows of one invoice."""
    provider, company = PARTIES[row.provider], PARTIES[row.company]
    sheet = []
    for place, line in enumerate(row.lines, 1):
        money = [format_yuan(line.net_fen), "6%", format_yuan(line.tax_fen), format_yuan(line.gross_fen)]
        paid = "" if line.paid_fen is None else format_yuan(line.paid_fen)
        head = ["CQ-COMPUTE-1", number(row.symbol), "红字" if row.red_of else "蓝字", _day(row.received_on)]
        parties = [provider.uscc, provider.name, company.uscc, row.buyer_name or company.name, CONTRACT]
        item = [line.tax_code, f"算力服务{place}", "", "卡时", "-1" if row.red_of else "1"]
        original = row.red_of or row.reissue_of
        last = [paid, number(original) if original else "", ""]
        sheet.append([*head, *parties, _day(row.first), _day(row.last), *item, *money, *last])
    return sheet


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()

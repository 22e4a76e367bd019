"""Our own monthly template CQ-COMPUTE-1: csv or xlsx, one row per invoice line."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from importers.chunks import ParsedChunk
from importers.columns import Column, header_name
from importers.rules import check_table
from importers.tables import read_table
from voucher.problem import Problem

NAME = "CQ-COMPUTE-1"
EVIDENCE = "template"
KINDS = ("csv", "xlsx")
VERSION_COLUMN = "模板版本"

COLUMNS: tuple[Column, ...] = (
    Column(VERSION_COLUMN, "", "choice", True, ((NAME, NAME),), wrong="unknown_template_version"),
    Column("发票号码", "invoice_number", "id", True),
    Column("发票类型", "invoice_kind", "choice", True, (("蓝字", "blue"), ("红字", "red"))),
    Column("开票日期", "issued_on", "day", True),
    Column("供方统一社会信用代码", "provider_uscc", "uscc", True),
    Column("供方名称", "provider_name", "text", True),
    Column("用方统一社会信用代码", "company_uscc", "uscc", True),
    Column("用方名称", "company_name", "text", True),
    Column("合同编号", "contract_no", "reference"),
    Column("服务起始日", "service_from", "day"),
    Column("服务截止日", "service_until", "day"),
    Column("税收分类编码", "tax_code", "tax_code", True),
    Column("项目名称", "item", "text", True),
    Column("规格型号", "spec", "text"),
    Column("计量单位", "unit", "text"),
    Column("用量", "usage_qty", "number"),
    Column("不含税金额", "net_fen", "money", True),
    Column("税率", "rate_bp", "rate"),
    Column("税额", "tax_fen", "money", True),
    Column("价税合计", "gross_fen", "money", True),
    Column("已付金额", "paid_fen", "money"),
    Column("原发票号码", "original_number", "id"),
    Column("备注", "remark", "text"),
)
_NAMES = frozenset(header_name(column.name) for column in COLUMNS)


def matches(header: Sequence[str]) -> bool:
    """Tell whether a header row is this template's, even with a few columns missing.

    模板版本 is a column of no other format; without it, two thirds of the names must be there.
    """
    names = {header_name(cell) for cell in header}
    return VERSION_COLUMN in names or len(names & _NAMES) * 3 >= len(_NAMES) * 2


def read(path: Path, kind: str, *, today: date) -> Iterator[ParsedChunk | Problem]:
    """Yield the chunks and problems of a template file. today: the business day."""
    return read_table(path, kind, COLUMNS, check_table, today=today)

"""The tax bureau's 全量发票查询导出结果: xlsx or csv, one row per invoice line, 27 columns, two sheets."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from importers.cells import Cell
from importers.columns import header_name
from importers.export import Export
from importers.parts import Part

NAME = "TAX-EXPORT"
EVIDENCE = "export"
KINDS = ("csv", "xlsx")
_TELLING = frozenset({"发票代码", "数电发票号码", "销方识别号", "购方识别号", "开票日期"})
"""Columns of both sheets and of no other format."""
_RENAMED = {"数电票号码": "数电发票号码", "全电发票号码": "数电发票号码", "购方名称": "购买方名称"}
_RENAMED |= {"商品和服务税收分类编码": "税收分类编码", "税收分类": "税收分类编码"}


def _name(cell: Cell) -> str:
    name = header_name(cell)
    return _RENAMED.get(name, name)


def matches(header: Sequence[str]) -> bool:
    """Tell whether a header row is this export's, of lines or of invoices."""
    return {_name(cell) for cell in header} >= _TELLING


def read(path: Path, kind: str, *, today: date) -> Iterator[Part]:
    """Yield the chunks and problems of an export. today: the business day."""
    return Export(_name, matches, today).read(path, kind)

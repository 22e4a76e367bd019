"""Write bills as the tax bureau's 全量发票 export: csv or xlsx. All of it is synthetic."""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import xlsxwriter

from tests.samples.bill import Bill

HEADER = [
    "序号", "发票代码", "发票号码", "数电发票号码", "销方识别号", "销方名称", "购方识别号", "购买方名称", "开票日期",
    "税收分类编码", "特定业务类型", "货物或应税劳务名称", "规格型号", "单位", "数量", "单价", "金额", "税率", "税额",
    "价税合计", "发票来源", "发票票种", "发票状态", "是否正数发票", "发票风险等级", "开票人", "备注",
]  # fmt: skip
INVOICES = [name for name in HEADER if name not in HEADER[9:16] and name != "税率"]


def rows(bills: Sequence[Bill], status: str = "正常", code: str = "") -> list[dict[str, str]]:
    """One row per line. code: of legacy invoices, whose number then stands in 发票号码."""
    found = []
    for bill in bills:
        for row in bill.rows:
            found.append(
                {
                    "序号": str(len(found) + 1),
                    "发票代码": code,
                    "发票号码": bill.number if code else "",
                    "数电发票号码": "" if code else bill.number,
                    "销方识别号": bill.seller[0],
                    "销方名称": bill.seller[1],
                    "购方识别号": bill.buyer[0],
                    "购买方名称": bill.buyer[1],
                    "开票日期": f"{bill.issued} 10:08:05",
                    "税收分类编码": row.code,
                    "货物或应税劳务名称": row.item,
                    "规格型号": row.spec,
                    "单位": row.unit,
                    "数量": row.quantity,
                    "单价": row.price,
                    "金额": row.net,
                    "税率": f"{Decimal(row.rate) * 100:.0f}%",
                    "税额": row.tax,
                    "价税合计": str(Decimal(row.net) + Decimal(row.tax)),
                    "发票来源": "电子发票服务平台",
                    "发票票种": "数电发票（增值税专用发票）",
                    "发票状态": bill.extra.get("status", status),
                    "是否正数发票": "否" if bill.red_of else "是",
                    "发票风险等级": bill.extra.get("risk", "正常"),
                    "开票人": "合成",
                    "备注": f"被红冲蓝字数电发票号码：{bill.red_of}" if bill.red_of else bill.remark,
                }
            )
    return found


def invoices(bills: Sequence[Bill]) -> list[dict[str, str]]:
    """One row per invoice, as the sheet 发票基础信息 has."""
    found = []
    for bill in bills:
        net, tax, gross = bill.totals
        first = rows([bill])[0]
        found.append(first | {"金额": net, "税额": tax, "价税合计": gross})
    return found


def table(
    header: Sequence[str], lines: Sequence[dict[str, str]], *, lead: int = 0, star: bool = False
) -> list[list[str]]:
    """Lay rows out; lead: rows above the header; star: mark the header cells; a 合计 row ends it."""
    shown = [f"{name}*" if star else name for name in header]
    total = sum((Decimal(line["价税合计"]) for line in lines), Decimal(0))
    last = ["合计"] + [str(total) if name == "价税合计" else "" for name in header[1:]]
    top = [["全量发票查询导出结果"] + [""] * (len(header) - 1)] + [[""] * len(header)] * (lead - 1) if lead else []
    return [*top, shown, *([line.get(name, "") for name in header] for line in lines), last]


def csv_bytes(lines: Sequence[Sequence[str]], encoding: str = "gb18030") -> bytes:
    """Write a table as csv."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(lines)
    return file.getvalue().encode(encoding)


def xlsx_bytes(sheets: dict[str, Sequence[Sequence[str | float]]], *, lying: bool = True) -> bytes:
    """Write a workbook of text cells. lying: its sheets declare one row only, as the bureau's do."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2026, 9, 3, tzinfo=UTC)})
        for name, lines in sheets.items():
            sheet = book.add_worksheet(name)
            for place, line in enumerate(lines):
                for column, cell in enumerate(line):
                    put = sheet.write_number if isinstance(cell, float) else sheet.write_string
                    if cell != "":
                        put(place, column, cell)
    return _lie(file.getvalue()) if lying else file.getvalue()


def _lie(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            body = old.read(entry)
            if entry.filename.startswith("xl/worksheets/sheet"):
                body = re.sub(rb'<dimension ref="[^"]*"/>', b'<dimension ref="A1"/>', body)
            new.writestr(zipfile.ZipInfo(entry.filename, (2026, 9, 3, 0, 0, 0)), body, zipfile.ZIP_DEFLATED)
    return file.getvalue()

"""Write the samples of the template format; all parties are synthetic.

Run as a script to write the text samples and, with --expected, what reading them gives today (to be read over!).
"""

import csv
import datetime as dt
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

HERE = Path(__file__).parent
TODAY = dt.date(2026, 9, 10)
HEADER = [
    "模板版本",
    "发票号码",
    "发票类型",
    "开票日期",
    "供方统一社会信用代码",
    "供方名称",
    "用方统一社会信用代码",
    "用方名称",
    "合同编号",
    "服务起始日",
    "服务截止日",
    "税收分类编码",
    "项目名称",
    "规格型号",
    "计量单位",
    "用量",
    "不含税金额",
    "税率",
    "税额",
    "价税合计",
    "已付金额",
    "原发票号码",
    "备注",
]
PROVIDER, PROVIDER_NAME = "91500000MA5U000111", "合成算力服务有限公司"
COMPANY, COMPANY_NAME = "91500000MA5U0002XQ", "合成智能体科技有限公司"
USUAL = dict(
    zip(
        HEADER,
        (
            "CQ-COMPUTE-1",
            "26502000000099900001",
            "蓝字",
            "2026-09-03",
            PROVIDER,
            PROVIDER_NAME,
            COMPANY,
            COMPANY_NAME,
            "HT-2026-001",
            "2026-08-01",
            "2026-08-31",
            "3040203000000000000",
            "*信息技术服务*智算服务费",
            "A100-80G",
            "卡时",
            "1200.5",
            "94339.62",
            "6%",
            "5660.38",
            "100000.00",
            "50000.00",
            "",
            "八月",
        ),
        strict=True,
    )
)


def row(**changed: str) -> list[str]:
    """Return the usual row with some cells changed."""
    assert set(changed) <= set(USUAL), changed
    return list((USUAL | changed).values())


CLEAN = (
    row(),
    row(发票号码="26502000000099900002", 项目名称="*信息技术服务*存储服务", 用量="", 规格型号="", 备注=""),
    row(
        发票号码="26502000000099900002",
        项目名称="*信息技术服务*存储服务",
        不含税金额="-1000.00",
        税额="-60.00",
        价税合计="-1060.00",
        用量="",
        规格型号="折扣",
        已付金额="",
        备注="折扣行，逗号",
    ),
    row(
        发票号码="5000212130-00012345",
        开票日期="2026/9/3",
        服务起始日="",
        服务截止日="",
        税率="免税",
        不含税金额="1,234.50",
        税额="0",
        价税合计="1,234.50",
        已付金额="",
    ),
    row(
        发票号码="26502000000099900003",
        发票类型="红字",
        不含税金额="-94339.62",
        税额="-5660.38",
        价税合计="-100000.00",
        已付金额="",
        原发票号码="26502000000099900001",
        备注="䶮㐀",
    ),
)
WRONG = (
    row(模板版本="CQ-COMPUTE-0"),
    row(发票号码="2.6502E+19"),
    row(发票号码="2650200000009990000"),
    row(发票号码="", 发票类型="兰字"),
    row(开票日期="2026-02-30", 服务起始日="2026-09-01"),
    row(开票日期="2026-09-11"),
    row(供方统一社会信用代码=PROVIDER[:-1] + "0", 用方统一社会信用代码="91500000MA5U00035F"),
    row(供方统一社会信用代码=COMPANY),
    row(合同编号="HT|1"),
    row(合同编号="HT\n1", 备注="第一行\n第二行"),
    row(服务截止日=""),
    row(服务截止日="2036-08-01"),
    row(税收分类编码="304020300000000000", 用量="12小时"),
    row(不含税金额="94339.625", 税额="1,2345.6", 价税合计="100000000000.00"),
    row(价税合计="100000.01"),
    row(税额="5660.44", 价税合计="100000.06"),
    row(税率="百分之六"),
    row(发票类型="红字"),
    row(不含税金额="", 备注="=HYPERLINK(1)"),
    row()[:20],
    [*row(), "多", "出"],
    [*row(), "", ""],
)

_RED = {"发票类型": "红字", "已付金额": "", "原发票号码": "26502000000099900001"}
_DISCOUNT = {"不含税金额": "-339.62", "税额": "-20.38", "价税合计": "-360.00", "用量": "", "已付金额": ""}
CASES: Mapping[str, Sequence[list[str]]] = {
    "blue": (row(),),
    "red_partial": (
        row(),
        row(**_RED, 发票号码="26502000000099900002", 不含税金额="-9433.96", 税额="-566.04", 价税合计="-10000.00"),
    ),
    "red_full": (
        row(),
        row(**_RED, 发票号码="26502000000099900003", 不含税金额="-94339.62", 税额="-5660.38", 价税合计="-100000.00"),
    ),
    "several_lines": (row(), row(项目名称="*信息技术服务*软件服务费", 税收分类编码="3040201990000000000")),
    "discount": (row(), row(**_DISCOUNT)),
    "other_version": (row(模板版本="CQ-COMPUTE-2"), row(模板版本="cq-compute-1"), row(模板版本="")),
    "missing_optionals": (
        row(
            合同编号="", 服务起始日="", 服务截止日="", 规格型号="", 计量单位="", 用量="", 税率="", 已付金额="", 备注=""
        ),
    ),
    "wrong_sums": (row(价税合计="100000.01"),),
    "wrong_uscc_digit": (row(用方统一社会信用代码="91500105MA9X00030B"),),
}
"""The cases that every format goes through, one file each."""


def _csv(rows: Sequence[Sequence[str]], *, ends: str = "\n", delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator=ends, delimiter=delimiter).writerows(rows)
    return text.getvalue()


def _write_text(text: str, encoding: str) -> Callable[[Path], None]:
    return lambda path: (path.write_bytes(text.encode(encoding)), None)[1]


def _turned() -> str:
    """The columns in another order, starred, one unknown, a title above, a sum below, blank lines, columns of ours."""
    order = [*reversed(HEADER)]
    head = ["备注", "原 行 号", *(name + "*" for name in order[1:]), "我方编号", "原行号", "错误代码", "错误说明"]
    body = [
        [cells["备注"], "", *(cells[name] for name in order[1:]), "甲1", "7", "bad_day", "请改"]
        for cells in (dict(zip(HEADER, each, strict=True)) for each in CLEAN[:2])
    ]
    return _csv(
        [["合成算力服务有限公司八月报送表"], [], head, body[0], [], body[1], ["", "合 计：", "", "1"], ["", " "]]
    )


def _write_book(path: Path) -> None:
    """Numbers as numbers, days as days, a lost number, a sum row, another sheet before and a second one after."""
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"created": dt.datetime(2026, 1, 1)})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    book.add_worksheet("说明").write_string(0, 0, "请填写“明细”表")
    sheet = book.add_worksheet("明细")
    for place, name in enumerate(HEADER):
        sheet.write_string(2, 1 + place, name)
    typed: dict[str, Any] = {
        "用量": 1200.5,
        "不含税金额": 94339.62,
        "税额": 5660.38,
        "价税合计": 100000,
        "已付金额": 50000,
        "税率": 0.06,
        "开票日期": dt.date(2026, 9, 3),
        "服务起始日": dt.date(2026, 8, 1),
        "服务截止日": dt.date(2026, 8, 31),
    }
    lost = {
        "发票号码": 26502000000099900001,
        "税收分类编码": 3040203000000000000,
        "不含税金额": 0.1 + 0.2,
        "税额": 94339.625,
        "价税合计": 1e15,
    }
    for number, cells in enumerate((USUAL | typed, USUAL | typed | lost, USUAL | typed), 3):
        for place, name in enumerate(HEADER):
            _write_cell(sheet, number + (number == 5), 1 + place, cells[name], day)
    sheet.write_string(7, 1, "合计")
    sheet.write_number(7, 17, 1)
    other = book.add_worksheet("九月")
    for number, texts in enumerate((HEADER, list(USUAL.values()))):
        for place, cell in enumerate(texts):
            other.write_string(number, place, cell)
    book.close()


def _write_cell(sheet: Any, number: int, place: int, cell: Any, day: Any) -> None:
    if isinstance(cell, dt.date):
        sheet.write_datetime(number, place, cell, day)
    elif isinstance(cell, str):
        sheet.write_string(number, place, cell)
    else:
        sheet.write_number(number, place, cell)


SAMPLES: Mapping[str, Callable[[Path], None]] = {
    "clean.csv": _write_text(_csv([HEADER, *CLEAN]), "utf-8"),
    "clean_bom.csv": _write_text(_csv([HEADER, *CLEAN], ends="\r\n"), "utf-8-sig"),
    "clean_gb18030.csv": _write_text(_csv([HEADER, *CLEAN], ends="\r\n"), "gb18030"),
    "clean_utf16.csv": _write_text(_csv([HEADER, *CLEAN], ends="\r\n", delimiter="\t"), "utf-16"),
    "turned.csv": _write_text(_turned(), "utf-8"),
    "wrong.csv": _write_text(_csv([HEADER, *WRONG]), "utf-8"),
    "missing_columns.csv": _write_text(_csv([[*HEADER[:4], *HEADER[6:]], CLEAN[0]]), "utf-8"),
    "duplicate_columns.csv": _write_text(_csv([[*HEADER, "税额"], [*CLEAN[0], "1"]]), "utf-8"),
    "no_rows.csv": _write_text(_csv([HEADER, [], ["合计"]]), "utf-8"),
    "open_quote.csv": _write_text(_csv([HEADER, CLEAN[0]]) + '"' + _csv(CLEAN[1:2]) * 3, "utf-8"),
    "bad_quote.csv": _write_text(_csv([HEADER, CLEAN[0]]) + '"CQ-COMPUTE-1"x,\n' + _csv(CLEAN[1:2]), "utf-8"),
    "numbers.xlsx": _write_book,
    **{f"{name}.csv": _write_text(_csv([HEADER, *rows]), "utf-8") for name, rows in CASES.items()},
}
"""Name of a sample → how it is written. Workbooks are written when they are needed, not kept."""


def result(path: Path, kind: str) -> dict[str, Any]:
    """Read a sample and write down what came of it."""
    from importers.chunks import ParsedChunk
    from importers.columns import STAGED
    from importers.formats import cq_compute_1

    rows: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    for item in cq_compute_1.read(path, kind, today=TODAY):
        found = item.problems if isinstance(item, ParsedChunk) else [item]
        problems += [{name: getattr(p, name) for name in p.__dataclass_fields__ if getattr(p, name)} for p in found]
        if isinstance(item, ParsedChunk):
            columns = {staged.name: item.column(staged.name) for staged in STAGED}
            rows += [
                {
                    "row": row_no,
                    "failed": index in item.failed,
                    "digest": item.digests[index],
                    **{name: column[index] for name, column in columns.items() if column[index] is not None},
                }
                for index, row_no in enumerate(item.row_nos)
            ]
    return {"rows": rows, "problems": problems}


def main() -> None:
    """Write the text samples, and with --expected the results beside them."""
    import tempfile

    for name, write in SAMPLES.items():
        with tempfile.TemporaryDirectory() as folder:
            kept = name.endswith(".csv")
            path = HERE / name if kept else Path(folder) / name
            write(path)
            if "--expected" in sys.argv:
                text = json.dumps(result(path, path.suffix[1:]), ensure_ascii=False, indent=1)
                (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[2]))
    main()

"""Write the golden samples of the document formats and what must be read from them: `python -m tests.golden.make`.

Look at the difference before it is committed: the expected results are what the reviewer signs.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from stdnum.cn import uscc

from importers import formats, guard
from importers.parts import Aside, UsageChunk
from tests.golden import usage
from tests.samples import export, ofd, pdf
from tests.samples.bill import SOFT, Bill, Row
from tests.samples.xml import xml
from voucher.problem import Problem
from voucher.uscc import check

HERE = Path(__file__).resolve().parent
TODAY = date(2026, 11, 1)
SHOWN = ("row", "column", "value", "code", "severity")


def _wrong_organisation_digit() -> tuple[str, str]:
    """Find a code whose last character is right and whose 17th is not."""
    for digit in "0123456789":
        body = f"91500105MA9X0003{digit}"
        code = body + uscc.calc_check_digit(body)
        if check(code) == "organisation_digit":
            return code, "合成用券企业科技有限公司"
    raise AssertionError


WRONG_USCC = _wrong_organisation_digit()
BLUE = Bill()
RED = Bill(
    number="26502000000099900002", red_of=BLUE.number, issued="2026-09-20", remark="",
    rows=(Row(net="-9433.96", tax="-566.04", quantity="-800"),),
)  # fmt: skip
RED_FULL = replace(RED, number="26502000000099900003", rows=(Row(net="-94339.62", tax="-5660.38", quantity="-8000"),))
LINES = replace(BLUE, rows=(Row(), Row("*信息技术服务*软件服务费", "1000.00", "60.00", SOFT, quantity="1")))
DISCOUNT = replace(BLUE, rows=(Row(), Row(net="-339.62", tax="-20.38", quantity="", price="", spec="", unit="")))
SIX_PLACES = replace(BLUE, rows=(Row(net="33.33", tax="1.999800", rate="0.060000"),) * 3, tax="6.00")
EXEMPT = replace(BLUE, rows=(Row(net="100000.00", tax="0.00", rate="免税"),))
OLD = Bill(number="12345678", issued="2021-09-03", remark="", rows=(Row(net="943.40", tax="56.60"),))
TREES: Mapping[str, Bill] = {
    "blue": BLUE,
    "red_partial": RED,
    "red_full": RED_FULL,
    "several_lines": LINES,
    "discount": DISCOUNT,
    "version_0_2": replace(BLUE, version="0.2", issued="2026-09-03 10:08:05"),
    "missing_optionals": replace(BLUE, sparse=True, remark="", rows=(Row(spec="", unit="", quantity=""),)),
    "wrong_sums": replace(BLUE, gross="100000.01"),
    "wrong_uscc_digit": replace(BLUE, buyer=WRONG_USCC),
    "capitals_differ": replace(BLUE, capitals="壹拾万零壹圆整"),
}
"""The cases that every tree of a 数电票 goes through, wherever it lies."""


def einvoice_xml() -> dict[str, bytes]:
    """Samples of the XML."""
    more = {
        "version_9": replace(BLUE, version="9.9"),
        "capitals_unreadable": replace(BLUE, capitals="约十万"),
        "eiid_differs": replace(BLUE, eiid="26502000000099900009"),
        "lines_differ": replace(BLUE, net="94339.61", tax="5660.39"),
        "line_taxes_differ": replace(BLUE, tax="5660.48", gross="100000.10"),
        "six_places": SIX_PLACES,
        "red_marked_blue": replace(RED, mark="Y"),
        "red_by_remark": replace(RED, sparse=True, remark=f"被红冲蓝字数电发票号码：{BLUE.number}"),
        "red_names_two": replace(RED, remark=f"被红冲蓝字数电发票号码：{RED_FULL.number}"),
        "month_in_remark": replace(BLUE, remark="账期202608 合同CQ-SYN-0001"),
        "signed": replace(BLUE, signature="U1lOVEhFVElD"),
        "number_of_another_year": replace(BLUE, number="25502000000099900001"),
        "no_lines": replace(BLUE, rows=(), net="94339.62", tax="5660.38"),
    }
    return {f"{name}.xml": xml(bill) for name, bill in {**TREES, **more}.items()} | {
        "red_by_remark.xml": xml(more["red_by_remark"]).replace(
            b"<AdditionalInformation></AdditionalInformation>",
            f"<AdditionalInformation><Remark>被红冲蓝字数电发票号码：{BLUE.number}</Remark></AdditionalInformation>".encode(),
        ),
        "repeated_total.xml": xml(BLUE).replace(
            b"<TotalTaxAm>", b"<TotalAmWithoutTax>1.00</TotalAmWithoutTax><TotalTaxAm>"
        ),
        "doctype.xml": xml(BLUE).replace(b"<EInvoice>", b'<!DOCTYPE a [<!ENTITY b "c">]><EInvoice>', 1),
        "no_party_ids.xml": re.sub(rb"<(?:Seller|Buyer)IdNum>.*?</(?:Seller|Buyer)IdNum>", b"", xml(BLUE)),
        "exempt.xml": xml(EXEMPT).replace(b"<ComTaxAm>0.00<", b"<ComTaxAm>***<"),
        "untaxed.xml": re.sub(rb"<(ComTaxAm|TotalTaxAm)>0.00<", rb"<\1><", xml(EXEMPT)),
        "tax_missing.xml": re.sub(rb"<TotalTaxAm>.*?<", b"<TotalTaxAm><", xml(BLUE)),
        "other_root.xml": b"<Invoice><Number>1</Number></Invoice>\n",
        "cut_off.xml": xml(BLUE)[:900],
    }


def ofd_samples() -> dict[str, bytes]:
    """Samples of OFD, each of the four places."""
    exempt = replace(OLD, rows=(Row(net="943.40", tax="0.00"),))
    broken = ofd.tagged(BLUE) | ofd.custom(replace(BLUE, net="94339.61"))
    doctype = {k: v.replace(b"<EInvoice>", b"<!DOCTYPE a><EInvoice>") for k, v in ofd.embedded(BLUE).items()}
    entries = {f"embedded_{name}": ofd.embedded(bill) for name, bill in TREES.items()} | {
        "embedded_from_doc": ofd.embedded(BLUE, from_doc=True, name="data.bin"),
        "tagged_blue": ofd.tagged(BLUE),
        "tagged_red": ofd.tagged(replace(RED, remark=f"被红冲蓝字数电发票号码：{BLUE.number}")),
        "tagged_other_root": ofd.tagged(BLUE, root="EInvoiceTag"),
        "tagged_exempt": {name: data.replace(b"[0.00]", b"[***]") for name, data in ofd.tagged(EXEMPT).items()},
        "tagged_untaxed": {name: data.replace(b"[0.00]", b"[]") for name, data in ofd.tagged(EXEMPT).items()},
        "custom": ofd.custom(BLUE),
        "legacy": ofd.legacy(OLD, "050002100111"),
        "legacy_exempt": ofd.legacy(exempt, "0500021001", exempt=True),
        "places_differ": broken,
        "tree_and_page_differ": ofd.embedded(BLUE) | ofd.tagged(replace(BLUE, net="94339.61", gross="99999.99")),
        "doctype": doctype,
        "empty": {"OFD.xml": b"<OFD/>"},
    }
    return {f"{name}.ofd": ofd.pack(each) for name, each in entries.items()}


def pdf_samples() -> dict[str, bytes]:
    """Samples of PDF: information keys, attachments, QR codes, and several of them."""
    code, known, old, legacy = pdf.qr_text(BLUE), pdf.keys(BLUE), pdf.keys(OLD), pdf.qr_text(OLD, "10", "050002100111")
    other = replace(BLUE, number="26502000000099900009", issued="2026-09-04", gross="99999.99")
    dated = pdf.qr_text(replace(BLUE, issued=other.issued, gross=other.gross))
    both = {
        "agree": pdf.qr(code, known), "tree_agrees": pdf.qr(code, tree=xml(BLUE)),
        "net_agrees": pdf.qr(legacy, {**old, "InvoiceNumber": f"050002100111-{OLD.number}"}),
        "numbers_differ": pdf.qr(pdf.qr_text(other), known), "trees_differ": pdf.qr(dated, tree=xml(BLUE)),
        "day_and_amount_differ": pdf.qr(dated, known),
        "number_only": pdf.qr(code, {"InvoiceNumber": BLUE.number}),
        "no_number": pdf.qr(code, {"SellerIdNum": BLUE.seller[0]}),
        "no_day": pdf.qr(code, {name: text for name, text in known.items() if name != "IssueTime"}),
        "old_number": pdf.qr(legacy, old),
        "tree_and_keys_differ": pdf.qr(code, pdf.keys(replace(BLUE, gross="100000.01")), tree=xml(BLUE)),
        "number_only_differs": pdf.qr(pdf.qr_text(other), {"InvoiceNumber": BLUE.number}),
    }  # fmt: skip
    alone = {
        "information.pdf": pdf.information(BLUE),
        "information_number_only.pdf": pdf.informed({"InvoiceNumber": BLUE.number}),
        "information_wrong_sums.pdf": pdf.information(replace(BLUE, gross="100000.01")),
        "xbrl.pdf": pdf.attached(pdf.xbrl(BLUE), "xbrl.xml"),
        "qr.pdf": pdf.qr(code),
        "qr_red.pdf": pdf.qr(pdf.qr_text(RED)),
        "qr_legacy.pdf": pdf.qr(legacy),
        "qr_of_something_else.pdf": pdf.qr("WIFI:S:x;;"),
        "doctype_attached.pdf": pdf.attached(b"<!DOCTYPE a><EInvoice/>"),
    }
    trees = {f"attached_{name}.pdf": pdf.attached(xml(bill)) for name, bill in TREES.items()}
    return trees | alone | {f"both_{name}.pdf": data for name, data in both.items()}


def tax_export() -> dict[str, bytes]:
    """Samples of the export, csv and xlsx."""

    def lines(*bills: Bill, encoding: str = "gb18030", code: str = "") -> bytes:
        return export.csv_bytes(export.table(export.HEADER, export.rows(bills, code=code)), encoding)

    def two(*bills: Bill, base: tuple[Bill, ...] = (), lead: int = 0, star: bool = False) -> bytes:
        sheets: dict[str, Any] = {
            "发票基础信息": export.table(export.INVOICES, export.invoices(base or bills), lead=lead, star=star),
            "信息汇总表": export.table(export.HEADER, export.rows(bills), lead=lead, star=star),
        }
        return export.xlsx_bytes(sheets)

    numeric: list[list[Any]] = [list(row) for row in export.table(export.HEADER, export.rows([BLUE]))]
    numeric[1][3] = float(BLUE.number)
    invoices = export.table(export.INVOICES, export.invoices([BLUE]))
    return {
        "blue.csv": lines(BLUE),
        "red_partial.csv": lines(replace(BLUE, extra={"status": "已红冲-部分"}), RED),
        "red_full.csv": lines(replace(BLUE, extra={"status": "已红冲-全额"}), RED_FULL),
        "void.csv": lines(replace(BLUE, extra={"status": "已作废"})),
        "risky.csv": lines(replace(BLUE, extra={"risk": "疑点发票"})),
        "several_lines.csv": lines(LINES),
        "discount.csv": lines(DISCOUNT),
        "utf8.csv": lines(BLUE, encoding="utf-8-sig"),
        "wrong_uscc_digit.csv": lines(replace(BLUE, buyer=WRONG_USCC)),
        "missing_optionals.csv": lines(replace(BLUE, remark="", rows=(Row(spec="", unit="", quantity="", price=""),))),
        "legacy.csv": lines(OLD, code="050002100111"),
        "marked_as_text.csv": lines(replace(BLUE, rows=(replace(BLUE.rows[0], quantity="-"),)))
        .replace(BLUE.number.encode(), f'="{BLUE.number}"'.encode())
        .replace(BLUE.buyer[0].encode(), f'="{BLUE.buyer[0]}"'.encode()),
        "exempt.csv": lines(replace(EXEMPT, rows=(replace(EXEMPT.rows[0], rate="0"),))).replace(
            b"0%,0.00", "免税,***".encode("gb18030")
        ),
        "other_names.csv": lines(BLUE, encoding="utf-8-sig")
        .replace("数电发票号码".encode(), "全电发票号码".encode())
        .replace("购买方名称".encode(), "购方名称".encode())
        .replace("税收分类编码".encode(), "商品和服务税收分类编码".encode()),
        "two_sheets.xlsx": two(LINES, RED),
        "lines_first.xlsx": export.xlsx_bytes(
            {
                "信息汇总表": export.table(export.HEADER, export.rows([BLUE])),
                "发票基础信息": invoices,
            }
        ),
        "starred_below_a_title.xlsx": two(BLUE, lead=3, star=True),
        "wrong_sums.xlsx": two(BLUE, base=(replace(BLUE, gross="100000.01"),)),
        "lines_missing.xlsx": two(BLUE, base=(BLUE, RED)),
        "invoices_only.xlsx": export.xlsx_bytes({"发票基础信息": invoices}),
        "number_lost.xlsx": export.xlsx_bytes({"信息汇总表": numeric}),
    }


ALL: Mapping[str, Callable[[], dict[str, bytes]]] = {
    "einvoice_xml": einvoice_xml,
    "ofd": ofd_samples,
    "pdf": pdf_samples,
    "tax_export": tax_export,
    **usage.SAMPLES,
}


def outcome(path: Path) -> dict[str, Any]:
    """Read a sample as an import does and write down all that was found."""
    blocked = guard.check_file(path)
    if blocked:
        return {"blocked": [problem.code for problem in blocked]}
    kind = guard.kind_by_content(path)
    chosen = formats.identify(path, kind)
    if isinstance(chosen, Problem):
        return {"blocked": [chosen.code]}
    found: dict[str, Any] = {"format": chosen.NAME, "asides": {}, "rows": [], "problems": []}
    for part in chosen.read(path, kind, today=TODAY):
        if isinstance(part, Aside):
            found["asides"][part.name] = part.value
            continue
        problems = [part] if isinstance(part, Problem) else part.problems
        if isinstance(part, UsageChunk):
            found["usage"] = [*found.get("usage", []), usage.told(part)]
        found["problems"] += [{name: getattr(problem, name) for name in SHOWN} for problem in problems]
        if isinstance(part, Problem | UsageChunk):
            continue
        for place, row_no in enumerate(part.row_nos):
            values = {name: part.column(name)[place] for name in part.values}
            given = {name: value for name, value in values.items() if value is not None}
            found["rows"].append({"row": row_no, "failed": place in part.failed, **given})
    return found


def main() -> None:
    """Write every sample and its expected result."""
    for name, make in ALL.items():
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        for file, data in make().items():
            path = folder / file
            path.write_bytes(data)
            expected = json.dumps(outcome(path), ensure_ascii=False, indent=1, sort_keys=True)
            path.with_name(f"{file}.json").write_text(expected + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Write a bill as OFD: each of the four places where its data may be. All of it is synthetic."""

import io
import zipfile
from collections.abc import Mapping

from tests.samples.bill import Bill
from tests.samples.xml import xml

_NS = 'xmlns:ofd="http://www.ofdspec.org/2016"'
_WHEN = (2026, 9, 3, 10, 8, 4)


def pack(entries: Mapping[str, bytes]) -> bytes:
    """Pack entries with fixed times, so that the same entries give the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries.items():
            packed.writestr(zipfile.ZipInfo(name, _WHEN), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _root(custom: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><ofd:OFD {_NS} Version="1.1" DocType="OFD"><ofd:DocBody>'
        f"<ofd:DocInfo><ofd:DocID>0</ofd:DocID><ofd:CustomDatas>{custom}</ofd:CustomDatas></ofd:DocInfo>"
        "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
    ).encode()


def chinese_day(bill: Bill) -> str:
    """Write the day of issue as 2026年09月03日."""
    year, month, day = bill.issued[:10].split("-")
    return f"{year}年{month}月{day}日"


def custom(bill: Bill) -> dict[str, bytes]:
    """CustomDatas of OFD.xml only: no names, no lines."""
    net, tax, _ = bill.totals
    pairs = {
        "发票号码": bill.number, "合计金额": net, "合计税额": tax, "开票日期": chinese_day(bill),
        "购买方纳税人识别号": bill.buyer[0], "销售方纳税人识别号": bill.seller[0],
    }  # fmt: skip
    return {"OFD.xml": _root("".join(f'<ofd:CustomData Name="{k}">{v}</ofd:CustomData>' for k, v in pairs.items()))}


def tagged(bill: Bill, root: str = "eInvoice") -> dict[str, bytes]:
    """CustomTag.xml with references into the text of two pages; amounts have two of them."""
    net, tax, gross = bill.totals
    red = "红字发票 " if bill.red_of else ""
    texts = {
        61: bill.number, 62: chinese_day(bill), 63: bill.buyer[1], 64: bill.buyer[0], 65: bill.seller[1],
        66: bill.seller[0], 67: "¥", 68: net, 69: "¥", 70: tax, 71: "¥", 72: gross, 73: red + bill.remark,
    }  # fmt: skip
    objects = [
        f'<ofd:TextObject ID="{key}" Boundary="10 10 60 5"><ofd:TextCode X="0" Y="3"><![CDATA[{text}]]></ofd:TextCode>'
        "</ofd:TextObject>"
        for key, text in texts.items()
    ]
    pages = [
        (
            f'<ofd:Page {_NS}><ofd:Content><ofd:Layer ID="{n}">{"".join(part)}</ofd:Layer></ofd:Content></ofd:Page>'
        ).encode()
        for n, part in enumerate((objects[:6], objects[6:]), 1)
    ]

    def field(name: str, *keys: int) -> str:
        refs = "".join(f'<ofd:ObjectRef PageRef="1">{key}</ofd:ObjectRef>' for key in keys)
        return f"<ofd:{name}>{refs}</ofd:{name}>"

    tag = (
        f"<ofd:{root} {_NS}>{field('InvoiceNo', 61)}{field('IssueDate', 62)}"
        f"<ofd:Buyer>{field('BuyerName', 63)}{field('BuyerTaxID', 64)}</ofd:Buyer>"
        f"<ofd:Seller>{field('SellerName', 65)}{field('SellerTaxID', 66)}</ofd:Seller>"
        f"{field('TaxExclusiveTotalAmount', 67, 68)}{field('TaxTotalAmount', 69, 70)}"
        f"{field('TaxInclusiveTotalAmount', 71, 72)}{field('Note', 73)}</ofd:{root}>"
    )
    return {
        **custom(bill),
        "Doc_0/Document.xml": f"<ofd:Document {_NS}/>".encode(),
        "Doc_0/Tags/CustomTag.xml": tag.encode(),
        "Doc_0/Pages/Page_0/Content.xml": pages[0],
        "Doc_0/Pages/Page_1/Content.xml": pages[1],
        "Doc_0/Signs/Signatures.xml": f"<ofd:Signatures {_NS}/>".encode(),
    }


def _attachments(place: str) -> bytes:
    return (
        f'<ofd:Attachments {_NS}><ofd:Attachment ID="1" Name="invoice" Format="xml"><ofd:FileLoc>{place}</ofd:FileLoc>'
        "</ofd:Attachment></ofd:Attachments>"
    ).encode()


def embedded(bill: Bill, *, from_doc: bool = False, name: str = "invoice.xml") -> dict[str, bytes]:
    """Attach the whole 数电票 tree. from_doc: FileLoc is written from Doc_0/, else from Attachs/."""
    place = f"Attachs/{name}" if from_doc else name
    return {
        "OFD.xml": _root(), "Doc_0/Document.xml": f"<ofd:Document {_NS}/>".encode(),
        "Doc_0/Attachs/Attachments.xml": _attachments(place), f"Doc_0/Attachs/{name}": xml(bill),
    }  # fmt: skip


def legacy(bill: Bill, code: str, *, exempt: bool = False) -> dict[str, bytes]:
    """The older dialect in original_invoice.xml; bill.number is the 8-digit number."""
    net, tax, gross = bill.totals
    goods = "".join(
        f"<GoodsInfo><Item>{row.item}</Item><Specification>{row.spec}</Specification><Quantity>1</Quantity>"
        f"<Price>{row.net}</Price><Amount>{row.net}</Amount><TaxScheme>{'免税' if exempt else '6%'}</TaxScheme>"
        f"<TaxAmount>{'***' if exempt else row.tax}</TaxAmount></GoodsInfo>"
        for row in bill.rows
    )
    tree = (
        f'<?xml version="1.0" encoding="utf-8"?><eInvoice><InvoiceCode>{code}</InvoiceCode>'
        f"<InvoiceNo>{bill.number}</InvoiceNo><IssueDate>{chinese_day(bill)}</IssueDate>"
        f"<TaxExclusiveTotalAmount>{net}</TaxExclusiveTotalAmount><TaxTotalAmount>{tax}</TaxTotalAmount>"
        f"<TaxInclusiveTotalAmount>{gross}</TaxInclusiveTotalAmount>"
        f"<Buyer><BuyerName>{bill.buyer[1]}</BuyerName><BuyerTaxID>{bill.buyer[0]}</BuyerTaxID></Buyer>"
        f"<Seller><SellerName>{bill.seller[1]}</SellerName><SellerTaxID>{bill.seller[0]}</SellerTaxID></Seller>"
        f"<GoodsInfos>{goods}</GoodsInfos></eInvoice>"
    )
    return {
        "OFD.xml": _root(), "Doc_0/Document.xml": f"<ofd:Document {_NS}/>".encode(),
        "Doc_0/Attachs/Attachments.xml": _attachments("original_invoice.xml"),
        "Doc_0/Attachs/original_invoice.xml": tree.encode(),
    }  # fmt: skip

"""Write a bill as PDF: information keys, an attachment, or a QR code alone. All of it is synthetic."""

import io
from collections.abc import Mapping

import zxingcpp
from PIL import Image
from pypdf import PdfReader, PdfWriter

from tests.samples.bill import Bill


def _finished(writer: PdfWriter) -> bytes:
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _blank() -> PdfWriter:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    return writer


def keys(bill: Bill) -> dict[str, str]:
    """The document-information keys that issuers write."""
    net, tax, gross = bill.totals
    return {
        "InvoiceNumber": bill.number, "SellerIdNum": bill.seller[0], "IssueTime": bill.issued,
        "TotalAmWithoutTax": net, "TotalTaxAm": tax, "TotalTax-includedAmount": gross,
    }  # fmt: skip


def information(bill: Bill) -> bytes:
    """Only the document-information keys of a bill."""
    return informed(keys(bill))


def informed(known: Mapping[str, str]) -> bytes:
    """Only these document-information keys."""
    writer = _blank()
    _inform(writer, known)
    return _finished(writer)


def _inform(writer: PdfWriter, known: Mapping[str, str]) -> None:
    writer.add_metadata({f"/{key}": value for key, value in known.items()})


def attached(data: bytes, name: str = "invoice.xml") -> bytes:
    """A file attached to a blank page."""
    writer = _blank()
    writer.add_attachment(name, data)
    return _finished(writer)


def xbrl(bill: Bill) -> bytes:
    """A receiver's XBRL instance, cut down."""
    net, tax, gross = bill.totals
    facts = {
        "InvoiceNumber": bill.number, "SellerName": bill.seller[1], "SellerIdNum": bill.seller[0],
        "TotalAmWithoutTax": net, "TotalTaxAm": tax, "TotalTax-includedAmount": gross, "RequestTime": bill.issued,
        "UnifiedSocialCreditCodeOfAccountingEntity": bill.buyer[0], "NameOfAccountingEntity": bill.buyer[1],
    }  # fmt: skip
    body = "".join(f'<einv:{k} contextRef="c1">{v}</einv:{k}>' for k, v in facts.items())
    names = 'xmlns:xbrli="http://www.w3.org/2003/instance" xmlns:einv="http://xbrl.mof.gov.cn/taxonomy/2023-12-31/einv"'
    return f"<xbrli:xbrl {names}>{body}</xbrli:xbrl>".encode()


def qr_text(bill: Bill, kind: str = "31", code: str = "") -> str:
    """The text of the code: gross for 数电票, net for older kinds."""
    net, _, gross = bill.totals
    amount = gross if kind in ("31", "32") else net
    return f"01,{kind},{code},{bill.number},{amount},{bill.issued.replace('-', '')},,8A3C"


def qr(text: str, known: Mapping[str, str] | None = None, tree: bytes = b"") -> bytes:
    """A page that is an image with a QR code; known: information keys beside it; tree: an XML attached to it."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    image = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=6)).convert("RGB")
    file = io.BytesIO()
    image.save(file, "PDF", creationDate=None, modDate=None)
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(file.getvalue())))
    writer.metadata = None
    if known:
        _inform(writer, known)
    if tree:
        writer.add_attachment("invoice.xml", tree)
    return _finished(writer)

"""PDF: an attached 数电票 tree, else attached XBRL and document-information keys; and the QR code on the page.

What they do not say is taken from the QR code; that is a proposal, which waits for a better document or a person. What
they say stands; a QR code that says otherwise has the document wait for a person.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from importers.documents import read_document
from importers.einvoice import is_einvoice, read_einvoice
from importers.limits import PARSER_LIMITS
from importers.papers import Paper
from importers.parts import Part
from importers.qr import NAMES, Code, differences, missing, of_number, read_qr
from importers.totals import against, merged, totals_paper
from importers.xml_reading import BadXml, Element, local, parse_xml

if TYPE_CHECKING:
    from pypdf import PdfReader

NAME = "PDF"
EVIDENCE = "pdf"
KINDS = ("pdf",)
_KEYS = {
    "InvoiceNumber": "number",
    "SellerIdNum": "provider_uscc",
    "SellerName": "provider_name",
    "BuyerIdNum": "company_uscc",
    "BuyerName": "company_name",
    "IssueTime": "issued_on",
    "RequestTime": "issued_on",
    "TotalAmWithoutTax": "net",
    "TotalTaxAm": "tax",
    "TotalTax-includedAmount": "gross",
}
"""Keys of the document information and names of XBRL facts, to our names."""
_XBRL_ONLY = {"UnifiedSocialCreditCodeOfAccountingEntity": "company_uscc", "NameOfAccountingEntity": "company_name"}
_XBRL_ONLY |= {"ContractNumber": "contract_no"}


def matches(_header: Sequence[str]) -> bool:
    """Say no: it is no table."""
    return False


def read(path: Path, _kind: str, *, today: date) -> Iterator[Part]:
    """Yield the rows and problems of one PDF. today: the business day."""
    return read_document(__name__, path, today=today)


def parse(data: bytes) -> list[Paper]:
    """Parse one PDF; runs in the child process, which alone loads the readers. Raises BadXml."""
    from pypdf import PdfReader, apply_configuration

    size = PARSER_LIMITS.inflated_bytes
    with warnings.catch_warnings(), apply_configuration(
        zlib_maximum_output_length=size, lzw_maximum_output_length=size, run_length_maximum_output_length=size,
        array_based_stream_maximum_output_length=size, image_maximum_buffer_size=4 * PARSER_LIMITS.pixels,
        jbig2dec_binary=None,
    ):  # fmt: skip
        warnings.simplefilter("ignore")
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise BadXml("document_encrypted")
        trees = list(_attached(reader))
        papers = [read_einvoice(root) for root in trees if is_einvoice(root)]
        places = [facts for root in trees if local(root) == "xbrl" and (facts := _facts(root))]
        if known := _information(reader):
            places.append(known)
        codes = _codes(reader, told=bool(papers or places))
        if len(papers) == 1:
            papers = [against(papers[0], places)]
        papers = papers or [_totals(places, codes)]
        return [replace(paper, faults=(*paper.faults, *differences(paper, codes))) for paper in papers]


def _totals(places: Sequence[Mapping[str, str]], codes: Sequence[Code]) -> Paper:
    """Make the paper of what a PDF says of an invoice beside an attached tree. Raises BadXml."""
    fields, faults = merged(places)
    code = of_number(fields.get("number", ""), codes)
    taken = missing(fields, code) if code else {}
    if code is None or not taken:
        if "number" not in fields:
            raise BadXml("nothing_in_document")
        return totals_paper(fields, faults=faults)
    notes = {"二维码票种": code["type"], "二维码金额": NAMES["gross" if "gross" in code else "net"]}
    if places:
        notes["取自二维码"] = "、".join(NAMES[name] for name in taken)
    return totals_paper({**fields, **taken}, faults=faults, evidence="qr", notes=notes)


def _information(reader: "PdfReader") -> dict[str, str]:
    """Read the document-information keys."""
    known: Mapping[str, Any] = reader.metadata or {}
    found: dict[str, str] = {}
    for key, name in _KEYS.items():
        value = known.get(f"/{key}")
        if value is not None and str(value).strip():
            found.setdefault(name, str(value).strip())
    return found


def _attached(reader: "PdfReader") -> Iterator[Element]:
    """Yield the roots of attached XML; what is no XML is passed over, a forbidden declaration is not."""
    for _, contents in reader.attachments.items():
        for data in contents:
            if not bytes(data[:64]).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
                continue
            try:
                yield parse_xml(bytes(data))
            except BadXml as bad:
                if bad.code == "doctype_refused":
                    raise


def _facts(root: Element) -> dict[str, str]:
    """Read the flat facts of an XBRL instance."""
    names: Mapping[str, str] = {**_KEYS, **_XBRL_ONLY}
    found: dict[str, str] = {}
    for node in root:
        name, text = names.get(local(node)), (node.text or "").strip()
        if name and text and len(node) == 0:
            found.setdefault(name, text)
    return found


def _codes(reader: "PdfReader", *, told: bool) -> list[Code]:
    """Read the invoices' QR codes of the images on the first pages.

    told: the document says of itself what it is; then the first page is enough, and one that is broken stops nothing.
    """
    import zxingcpp
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = PARSER_LIMITS.pixels
    wanted = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    texts: dict[str, None] = {}
    try:
        for page in islice(reader.pages, 1 if told else PARSER_LIMITS.pdf_pages):
            for image in _images(page):
                texts |= dict.fromkeys(code.text for code in zxingcpp.read_barcodes(image, formats=wanted))
    except MemoryError:
        raise
    except Exception:
        if not told:
            raise
    return [code for text in texts if (code := read_qr(text)) is not None]


def _images(page: Any) -> Iterator[Any]:
    """Yield the images of a page that can be read and are not huge."""
    for name in page.images.keys():  # noqa: SIM118 - its keys, not its images, so that one bad image stops no other
        try:
            image = page.images[name].image
            if image is not None and image.width * image.height <= PARSER_LIMITS.pixels:
                yield image.convert("L")
        except MemoryError:
            raise
        except Exception:  # a broken image holds no code
            continue

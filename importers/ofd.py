"""What an OFD (GB/T 33190) holds of an invoice, wherever it lies: told by content and local names, never by place."""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

from importers.limits import OFD_LIMITS
from importers.xml_reading import BadXml, Element, children, local, parse_xml, text_at

ENTRY_BYTES = 20 << 20
_TAGS = {
    "InvoiceCode": "code",
    "InvoiceNo": "number",
    "IssueDate": "issued_on",
    "Buyer/BuyerName": "company_name",
    "Buyer/BuyerTaxID": "company_uscc",
    "Seller/SellerName": "provider_name",
    "Seller/SellerTaxID": "provider_uscc",
    "TaxExclusiveTotalAmount": "net",
    "TaxTotalAmount": "tax",
    "TaxInclusiveTotalAmount": "gross",
    "Note": "remark",
}
"""Paths of CustomTag.xml and of the older original_invoice.xml, which are the same, to our names."""
_CUSTOM = {
    "发票代码": "code",
    "发票号码": "number",
    "合计金额": "net",
    "合计税额": "tax",
    "价税合计": "gross",
    "开票日期": "issued_on",
    "购买方纳税人识别号": "company_uscc",
    "销售方纳税人识别号": "provider_uscc",
}


@dataclass(slots=True)
class Found:
    """What one OFD holds. places: in the order of their worth, each field name to text. lines: of the older dialect."""

    einvoices: list[Element] = field(default_factory=list)
    legacy: list[Element] = field(default_factory=list)
    tags: list[Mapping[str, str]] = field(default_factory=list)
    custom: dict[str, str] = field(default_factory=dict)
    texts: str = ""
    signed: bool = False


def look(data: bytes) -> Found:
    """Read every XML of an OFD in memory, whatever its name. Raises BadXml."""
    found = Found()
    tags: list[tuple[str, Element]] = []
    objects: dict[tuple[str, str], str] = {}
    for name, root in _roots(data):
        kind = local(root)
        folder = name.split("/", 1)[0]
        if kind == "EInvoice":
            found.einvoices.append(root)
        elif _has_references(root) and _below(root, "InvoiceNo"):
            tags.append((folder, root))
        elif text_at(root, "InvoiceNo") and (text_at(root, "InvoiceCode") or text_at(root, "TaxInclusiveTotalAmount")):
            found.legacy.append(root)
        elif kind == "OFD":
            found.custom |= _custom(root)
        elif kind == "Page":
            objects.update({(folder, key): text for key, text in _objects(root)})
        elif kind == "Signatures":
            found.signed = True
    found.tags = [_resolved(root, folder, objects) for folder, root in tags]
    found.texts = "\n".join(objects.values())
    return found


def _roots(data: bytes) -> Iterator[tuple[str, Element]]:
    """Yield name and root of each XML entry. An entry that is no XML is passed over, a forbidden one is not."""
    total = 0
    try:
        with zipfile.ZipFile(BytesIO(data)) as packed:
            for entry in packed.infolist()[: OFD_LIMITS.zip_entries]:
                with packed.open(entry) as stream:
                    head = stream.read(64)
                    if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
                        continue
                    content = head + stream.read(ENTRY_BYTES)
                total += len(content)
                if len(content) > ENTRY_BYTES or total > OFD_LIMITS.inflated_bytes:
                    raise BadXml("zip_bomb", entry.filename[:60])
                try:
                    yield entry.filename.replace("\\", "/").lstrip("/"), parse_xml(content)
                except BadXml as bad:
                    if bad.code == "doctype_refused":
                        raise
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BadXml("zip_broken", type(error).__name__) from error


def _below(root: Element, name: str) -> bool:
    return any(local(node) == name for node in root.iter())


def _has_references(root: Element) -> bool:
    return _below(root, "ObjectRef")


def _objects(page: Element) -> Iterator[tuple[str, str]]:
    """Yield id and text of each text object of a page."""
    for node in page.iter():
        if local(node) == "TextObject" and node.get("ID"):
            yield str(node.get("ID")), "".join((part.text or "").strip() for part in children(node, "TextCode"))


def _resolved(root: Element, folder: str, objects: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Read CustomTag: each field refers to one or several text objects of the same document."""
    fields: dict[str, str] = {}
    for path, name in _TAGS.items():
        node: Element | None = root
        for step in path.split("/"):
            node = next((each for each in node.iter() if local(each) == step), None) if node is not None else None
        if node is None:
            continue
        references = [(each.text or "").strip() for each in node.iter() if local(each) == "ObjectRef"]
        text = "".join(objects.get((folder, each), "") for each in references)
        if text:
            fields[name] = text
    return fields


def _custom(root: Element) -> dict[str, str]:
    """Read the CustomDatas of OFD.xml."""
    return {
        _CUSTOM[name]: (node.text or "").strip()
        for node in root.iter()
        if local(node) == "CustomData" and (name := node.get("Name", "")) in _CUSTOM and (node.text or "").strip()
    }


def legacy_fields(root: Element) -> dict[str, str]:
    """Read the totals and parties of the older dialect."""
    fields = {name: text_at(root, path) for path, name in _TAGS.items()}
    fields["remark"] = fields["remark"] or text_at(root, "Remark")
    return {name: text for name, text in fields.items() if text}


def legacy_goods(root: Element) -> list[Element]:
    """List the line elements of the older dialect; their own name differs between issuers."""
    goods = next(children(root, "GoodsInfos"), None)
    return [] if goods is None else [node for node in goods if text_at(node, "Amount") or text_at(node, "Item")]

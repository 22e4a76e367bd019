"""The tree of a 数电票 (root EInvoice) to a Paper: read by exact path, Decimal only, judged by rules of its own.

No public schema is known; the paths were gathered from samples (versions 0.2 to 0.33).
"""

from collections.abc import Iterator
from decimal import Decimal

from importers.capitals import parse_capitals
from importers.papers import Fault, Paper, PaperLine, cents, day, decimal, total_tax, with_remark, yuan
from importers.papers import tax as tax_of
from importers.xml_reading import Element, Tree, at, local
from voucher.money import format_yuan

VERSIONS = frozenset({"0.2", "0.31", "0.32", "0.33"})
TAX_TOLERANCE = Decimal("0.01")
"""Yuan per line by which the taxes of the lines may differ from the header's."""
_BASIC = "EInvoiceData/BasicInformation"
_SELLER = "EInvoiceData/SellerInformation"
_BUYER = "EInvoiceData/BuyerInformation"
_NET, _TAX = f"{_BASIC}/TotalAmWithoutTax", f"{_BASIC}/TotalTaxAm"
_GROSS = f"{_BASIC}/TotalTax-includedAmount"
_CAPITALS = f"{_BASIC}/TotalTax-includedAmountInChinese"
_NUMBER = "TaxSupervisionInfo/InvoiceNumber"
_SINGLE = (
    "Header", "EInvoiceData", "TaxSupervisionInfo", _BASIC, _SELLER, _BUYER, _NET, _TAX, _GROSS, _NUMBER,
    f"{_SELLER}/SellerIdNum", f"{_BUYER}/BuyerIdNum", "Header/InherentLabel/InIssuType",
)  # fmt: skip
_NOTES = {
    "数电票版本": "Header/Version",
    "数电票标签": "Header/EInvoiceTag",
    "发票种类": "Header/InherentLabel/GeneralOrSpecialVAT/LabelName",
    "纳税人类型": "Header/InherentLabel/TaxpayerType/LabelName",
    "税务机关代码": "TaxSupervisionInfo/TaxBureauCode",
    "红字信息确认单编号": "EInvoiceData/SpecificInformation/RedEInvoice/CreditNoteNumber",
}


def is_einvoice(root: Element) -> bool:
    """Tell whether a tree is a 数电票."""
    return local(root) == "EInvoice" and at(root, "EInvoiceData") is not None


def read_einvoice(root: Element) -> Paper:
    """Read a 数电票 with everything that is wrong with it. Never raises for what is in the tree."""
    tree = Tree(root)
    number, eiid = tree.text(_NUMBER), tree.text("Header/EIid")
    mark = tree.text("Header/InherentLabel/InIssuType/LabelCode").upper()
    net, gross = decimal(tree.text(_NET)), decimal(tree.text(_GROSS))
    totals = (net, total_tax(tree.text(_TAX), net, gross), gross)
    red = mark == "N" if mark in ("Y", "N") else gross is not None and gross < 0
    lines, faults = _lines(tree, totals)
    paper = Paper(
        number=number or eiid,
        kind="red" if red else "blue",
        issued_on=_issued(tree),
        provider_uscc=tree.text(f"{_SELLER}/SellerIdNum"),
        provider_name=tree.text(f"{_SELLER}/SellerName"),
        company_uscc=tree.text(f"{_BUYER}/BuyerIdNum"),
        company_name=tree.text(f"{_BUYER}/BuyerName"),
        original_number=tree.text("EInvoiceData/SpecificInformation/RedEInvoice/OriginalInvoiceCode"),
        remark=tree.text("EInvoiceData/AdditionalInformation/Remark"),
        lines=lines,
        faults=(*_header_faults(tree, number, eiid, mark), *_money_faults(tree, totals, mark), *faults),
        notes=_notes(tree),
    )
    return with_remark(paper)


def _issued(tree: Tree) -> str:
    return day(tree.text("TaxSupervisionInfo/IssueTime") or tree.text(f"{_BASIC}/RequestTime"))


def _notes(tree: Tree) -> dict[str, str]:
    """Collect what is recorded beside the invoice; a signature is recorded, never said to be verified."""
    notes = {name: text for name, path in _NOTES.items() if (text := tree.text(path))}
    if tree.all("TaxBureauSignature"):
        method = tree.text("TaxBureauSignature/SignatureAlgorithm")
        signed = "有签名值" if tree.text("TaxBureauSignature/SignatureValue") else "签名值为空"
        notes["税务机关签名"] = f"{method} {signed}，未验证".strip()
    return notes


def _header_faults(tree: Tree, number: str, eiid: str, mark: str) -> Iterator[Fault]:
    """Yield what is wrong with number, version and marks."""
    for path in _SINGLE:
        if len(tree.all(path)) > 1:
            yield Fault("element_repeated", value=path)
    if not number and eiid:
        yield Fault("number_from_header", "发票号码", eiid)
    elif number and eiid and number != eiid:
        yield Fault("eiid_differs", "发票号码", eiid)
    version = tree.text("Header/Version")
    if version not in VERSIONS:
        yield Fault("unknown_version", value=version or "没有写明")
    if mark not in ("Y", "N"):
        yield Fault("red_mark_missing", "发票类型", mark)
    issued = _issued(tree)
    if len(number) == 20 and len(issued) >= 4 and issued[:4].isdigit() and number[:2] != issued[2:4]:
        yield Fault("number_year_differs", "发票号码", number, extra={"year": issued[:4]})


def _money_faults(tree: Tree, totals: tuple[Decimal | None, ...], mark: str) -> Iterator[Fault]:
    """Yield what is wrong with the totals: each a number, their sum, their sign, the amount in capitals."""
    for path, name, total in zip((_NET, _TAX, _GROSS), ("不含税金额", "税额", "价税合计"), totals, strict=True):
        text = tree.text(path)
        if total is None:
            yield Fault("bad_total", name, text)
    net, tax, gross = totals
    if gross is None:
        return
    if net is not None and tax is not None and net + tax != gross:
        yield Fault("header_sum_differs", "价税合计", yuan(gross), extra={"net": yuan(net), "tax": yuan(tax)})
    if (mark == "N" and gross >= 0) or (mark == "Y" and gross < 0):
        yield Fault("red_mark_differs", "发票类型", yuan(gross))
    capitals = tree.text(_CAPITALS)
    if capitals:
        fen = parse_capitals(capitals)
        if fen is None:
            yield Fault("capitals_unreadable", "价税合计", capitals)
        elif gross * 100 != fen:
            yield Fault(
                "capitals_differ", "价税合计", capitals, extra={"figure": yuan(gross), "said": format_yuan(fen)}
            )


def _lines(tree: Tree, totals: tuple[Decimal | None, ...]) -> tuple[list[PaperLine], list[Fault]]:
    """Read the lines; their taxes, which may have more than two decimals, are rounded so that they add up."""
    nodes = [Tree(node) for node in tree.all("EInvoiceData/IssuItemInformation")]
    net, tax, gross = totals
    if not nodes:
        shown = [yuan(total) if total is not None else "" for total in (net, tax, gross)]
        return [PaperLine(net=shown[0], tax=shown[1], gross=shown[2])], [Fault("no_lines")]
    faults: list[Fault] = []
    nets = [decimal(node.text("Amount")) for node in nodes]
    taxes = [tax_of(node.text("ComTaxAm") or "0") for node in nodes]
    if net is not None and None not in nets and sum(filter(None, nets)) != net:
        added = yuan(sum(filter(None, nets), Decimal(0)))
        faults.append(Fault("lines_sum_differs", "不含税金额", added, extra={"total": yuan(net)}))
    rounded = _rounded(taxes, nets, tax, faults)
    lines = []
    for place, (node, amount, line_tax) in enumerate(zip(nodes, nets, rounded, strict=True), 1):
        total = None if amount is None or line_tax is None else amount + line_tax
        stated = decimal(node.text("TotaltaxIncludedAmount"))
        if total is not None and stated is not None and abs(stated - total) > TAX_TOLERANCE:
            faults.append(Fault("line_gross_differs", "价税合计", yuan(stated), place, {"sum": yuan(total)}))
        lines.append(_line(node, amount, line_tax, total))
    return lines, faults


def _line(node: Tree, net: Decimal | None, tax: Decimal | None, gross: Decimal | None) -> PaperLine:
    return PaperLine(
        tax_code=node.text("TaxClassificationCode"),
        item=node.text("ItemName"),
        spec=node.text("SpecMod"),
        unit=node.text("MeaUnits"),
        quantity=node.text("Quantity"),
        net=node.text("Amount") if net is None else yuan(net),
        rate=_rate(node.text("TaxRate")),
        tax=node.text("ComTaxAm") if tax is None else yuan(tax),
        gross="" if gross is None else yuan(gross),
    )


def _rate(text: str) -> str:
    """Write a fraction such as 0.060000 as 0.06; words such as 免税 stay."""
    rate = decimal(text)
    return text if rate is None else f"{rate.normalize():f}"


def _rounded(
    taxes: list[Decimal | None], nets: list[Decimal | None], total: Decimal | None, faults: list[Fault]
) -> list[Decimal | None]:
    """Round the lines' taxes to fen so that they add up to the header's, if they do but for the rounding."""
    known = [tax for tax in taxes if tax is not None]
    if len(known) < len(taxes) or None in nets:
        return [None if tax is None else cents(tax) for tax in taxes]
    rounded, seen, given = [], Decimal(0), Decimal(0)
    for tax in known:
        seen += tax
        rounded.append(cents(seen) - given)
        given += rounded[-1]
    gap = Decimal(0) if total is None else total - given
    if gap and abs(gap) <= TAX_TOLERANCE * len(known):
        widest = max(range(len(known)), key=lambda place: abs(nets[place] or Decimal(0)))
        rounded[widest] += gap
        faults.append(Fault("line_taxes_rounded", "税额", yuan(given), extra={"total": yuan(total or gap)}))
    elif gap:
        faults.append(Fault("line_taxes_differ", "税额", yuan(given), extra={"total": yuan(total or gap)}))
    return list(rounded)

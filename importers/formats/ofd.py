"""OFD: an embedded 数电票 tree, else the older dialect, else references into page text, else custom data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from importers.documents import read_document
from importers.einvoice import is_einvoice, read_einvoice
from importers.ofd import Found, legacy_fields, legacy_goods, look
from importers.papers import Paper, PaperLine, decimal, yuan
from importers.papers import tax as tax_of
from importers.parts import Part
from importers.totals import against, merged, totals_paper
from importers.xml_reading import BadXml, Element, text_at

NAME = "OFD"
EVIDENCE = "ofd"
KINDS = ("ofd",)


def matches(_header: Sequence[str]) -> bool:
    """Say no: it is no table."""
    return False


def read(path: Path, _kind: str, *, today: date) -> Iterator[Part]:
    """Yield the rows and problems of one OFD. today: the business day."""
    return read_document(__name__, path, today=today)


def parse(data: bytes) -> list[Paper]:
    """Parse one OFD; runs in the child process. Raises BadXml."""
    found = look(data)
    notes = {"OFD 签名": "有，未验证"} if found.signed else {}
    trees = [root for root in found.einvoices if is_einvoice(root)]
    if trees:
        papers = [read_einvoice(root) for root in trees]
        places: Sequence[Mapping[str, str]] = [*found.tags, found.custom] if len(papers) == 1 else []
        return [against(replace(paper, notes={**paper.notes, **notes}), places) for paper in papers]
    # the amount in capitals says so; that a remark speaks of 红字 does not, since that of a reissue does too
    red = "（负数）" in found.texts or "(负数)" in found.texts
    sets = _sets(found)
    if not sets:
        raise BadXml("nothing_in_document")
    papers = []
    for places, lines in sets:
        fields, faults = merged(places)
        papers.append(totals_paper(fields, lines=lines, faults=faults, red=red, notes=notes))
    return papers


def _sets(found: Found) -> list[tuple[list[dict[str, str]], list[PaperLine]]]:
    """Put together what belongs to one invoice: each tree or tag with the custom data of the same number."""
    sets: list[tuple[list[dict[str, str]], list[PaperLine]]] = []
    for root in found.legacy:
        sets.append(([legacy_fields(root)], [_line(node) for node in legacy_goods(root)]))
    tags = [dict(tag) for tag in found.tags if tag]
    if len(sets) == 1 and len(tags) == 1:
        sets[0][0].append(tags.pop())
    sets += [([tag], []) for tag in tags]
    if found.custom:
        if len(sets) == 1:
            sets[0][0].append(found.custom)
        elif not sets:
            sets.append(([found.custom], []))
    return sets


def _line(node: Element) -> PaperLine:
    """Read a line of the older dialect; the tax of an exempt line may be words."""
    net, tax = decimal(text_at(node, "Amount")), tax_of(text_at(node, "TaxAmount") or "0")
    gross = None if net is None or tax is None else net + tax
    return PaperLine(
        item=text_at(node, "Item"),
        spec=text_at(node, "Specification"),
        unit=text_at(node, "MeasurementDimension"),
        quantity=text_at(node, "Quantity"),
        net=text_at(node, "Amount") if net is None else yuan(net),
        rate=text_at(node, "TaxScheme"),
        tax=text_at(node, "TaxAmount") if tax is None else yuan(tax),
        gross="" if gross is None else yuan(gross),
    )

"""A Paper from the totals of an invoice, where a document states no tax codes: OFD, PDF, an older dialect."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from importers.papers import Fault, Paper, PaperLine, day, decimal, natural_number, total_tax, with_remark, yuan
from importers.papers import tax as tax_of
from importers.text import clean_id

_NAMES = {"net": "不含税金额", "tax": "税额", "gross": "价税合计"}
_AMOUNTS = {"net": decimal, "tax": tax_of, "gross": decimal}


def merged(places: Sequence[Mapping[str, str]]) -> tuple[dict[str, str], list[Fault]]:
    """Put the fields of several places together, the first being the best; number and money must agree."""
    fields: dict[str, str] = {}
    faults: list[Fault] = []
    for place in places:
        for name, text in place.items():
            if name in _NAMES and name in fields and _AMOUNTS[name](fields[name]) != _AMOUNTS[name](text):
                faults.append(Fault("places_differ", _NAMES[name], text, extra={"other": fields[name]}))
            elif name == "number" and fields.get("number", text) != text:
                faults.append(Fault("places_differ", "发票号码", text, extra={"other": fields["number"]}))
            fields.setdefault(name, text)
    return fields, faults


def against(paper: Paper, places: Sequence[Mapping[str, str]]) -> Paper:
    """Hold an embedded tree against the other places of its document: number and money must agree."""
    totals = {
        name: yuan(sum(filter(None, amounts), Decimal(0)))
        for name in _NAMES
        if None not in (amounts := [decimal(getattr(line, name)) for line in paper.lines])
    }
    readable = [
        {
            name: text
            for name, text in place.items()
            if (name in _NAMES and _AMOUNTS[name](text) is not None) or (name == "number" and clean_id(text).isdigit())
        }
        for place in places
    ]
    _, faults = merged([{"number": paper.number, **totals}, *readable])
    return replace(paper, faults=(*paper.faults, *faults))


def totals_paper(
    fields: Mapping[str, str], *, lines: Sequence[PaperLine] = (), faults: Sequence[Fault] = (), red: bool = False,
    evidence: str = "", notes: Mapping[str, str] | None = None,
) -> Paper:  # fmt: skip
    """Make a paper of totals. fields: code, number, issued_on, the parties, net, tax, gross, remark, original_number.

    A missing gross is net and tax together. red: what the document says of itself; a negative gross says so too.
    """
    net, gross = decimal(fields.get("net", "")), decimal(fields.get("gross", ""))
    tax = total_tax(fields.get("tax", ""), net, gross)
    found = list(faults)
    if gross is None and net is not None and tax is not None:
        gross = net + tax
    elif lines and net is not None and tax is not None and gross is not None and net + tax != gross:
        extra = {"net": yuan(net), "tax": yuan(tax)}
        found.append(Fault("header_sum_differs", "价税合计", yuan(gross), extra=extra))
    below = gross is not None and gross < 0
    if red and gross is not None and not below:
        found.append(Fault("red_mark_differs", "发票类型", yuan(gross)))
    shown = {
        name: fields.get(name, "") if total is None else yuan(total)
        for name, total in (("net", net), ("tax", tax), ("gross", gross))
    }
    paper = Paper(
        number=natural_number(fields.get("code", ""), fields.get("number", "")),
        kind="red" if red or below else "blue",
        issued_on=day(fields.get("issued_on", "")),
        provider_uscc=fields.get("provider_uscc", ""),
        provider_name=fields.get("provider_name", ""),
        company_uscc=fields.get("company_uscc", ""),
        company_name=fields.get("company_name", ""),
        original_number=fields.get("original_number", ""),
        remark=fields.get("remark", ""),
        lines=lines or (PaperLine(**shown),),
        faults=(*found, *_line_faults(lines, net, tax)),
        evidence=evidence,
        notes=notes or {},
    )
    return with_remark(paper)


def _line_faults(lines: Sequence[PaperLine], net: Decimal | None, tax: Decimal | None) -> list[Fault]:
    """Hold the lines' sums against the totals."""
    faults = []
    for code, name, field, total in (
        ("lines_sum_differs", "不含税金额", "net", net), ("line_taxes_differ", "税额", "tax", tax),
    ):  # fmt: skip
        amounts = [decimal(getattr(line, field)) for line in lines]
        if lines and total is not None and None not in amounts and sum(filter(None, amounts)) != total:
            added = sum(filter(None, amounts), Decimal(0))
            faults.append(Fault(code, name, yuan(added), extra={"total": yuan(total)}))
    return faults

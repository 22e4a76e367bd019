"""The text of an invoice's QR code: `01,kind,code,number,amount,day,check code,crc`; and a document held against it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from importers.cells import read_day
from importers.papers import Fault, Paper, decimal, natural_number, yuan
from importers.text import clean_id
from importers.xml_reading import BadXml

_GROSS = frozenset({"31", "32"})
"""Kinds of 数电票, whose amount is gross as that of every 20-digit number; older kinds state the net amount."""
_NUMBER = re.compile(r"\d{20}\Z|\d{8}\Z", re.ASCII)
_CODE = re.compile(r"(?:\d{10}|\d{12})?\Z", re.ASCII)
_DAY = re.compile(r"\d{8}\Z", re.ASCII)
_OLD_DIGITS = 8
_AMOUNTS = ("gross", "net")
NAMES = {
    "number": "发票号码", "code": "发票代码", "issued_on": "开票日期", "gross": "价税合计", "net": "不含税金额",
}  # fmt: skip
"""Fields of a code to what they are called on screen."""
Code = Mapping[str, str]


def read_qr(text: str) -> Code | None:
    """Return the fields of an invoice's code: type, code, number, gross or net, issued_on; None when it is none."""
    parts = [part.strip() for part in text.strip().split(",")]
    if len(parts) < 6 or parts[0] != "01" or not (_NUMBER.match(parts[3]) and _CODE.match(parts[2])):
        return None
    if decimal(parts[4]) is None or not _DAY.match(parts[5]):
        return None
    amount = "gross" if parts[1] in _GROSS or len(parts[3]) == 20 else "net"
    return {
        "type": parts[1], "code": parts[2], "number": parts[3], amount: parts[4], "issued_on": parts[5],
    }  # fmt: skip


def of_number(number: str, codes: Sequence[Code]) -> Code | None:
    """Find the code of an invoice; without a number that of the only one. Raises BadXml when there are several."""
    number = clean_id(number)
    same = [code for code in codes if not number or number in (code["number"], _number(code))]
    if len({_number(code) for code in same}) > 1:
        raise BadXml("several_invoices_in_document", "、".join(_number(code) for code in same))
    return same[0] if same else None


def missing(fields: Mapping[str, str], code: Code) -> dict[str, str]:
    """Return what a code says of an invoice and the fields do not; nothing of what they say is replaced."""
    number = clean_id(fields.get("number", ""))
    wanted = ["issued_on"]
    if not number:
        wanted += ["number", "code"]
    elif len(number) == _OLD_DIGITS:
        wanted.append("code")
    if "net" not in fields or "tax" not in fields:
        wanted += _AMOUNTS
    return {name: code[name] for name in wanted if name not in fields and code.get(name)}


def differences(paper: Paper, codes: Sequence[Code]) -> Iterator[Fault]:
    """Yield what a code states otherwise than the document itself: number, day, amount (gross or net)."""
    totals = {name: _total([getattr(line, name) for line in paper.lines]) for name in _AMOUNTS}
    for code in codes:
        amount = next(name for name in _AMOUNTS if name in code)
        stated = decimal(code[amount])
        if _number(code) != clean_id(paper.number):
            yield _differs("number", _number(code), paper.number)
            continue
        days = read_day(code["issued_on"])[0], read_day(paper.issued_on)[0]
        if None not in days and days[0] != days[1]:
            yield _differs("issued_on", str(days[0]), str(days[1]))
        if (total := totals[amount]) is not None and stated is not None and stated not in totals.values():
            yield _differs(amount, yuan(stated), yuan(total))


def _differs(name: str, said: str, other: str) -> Fault:
    return Fault("qr_differs", NAMES[name], said, extra={"other": other})


def _number(code: Code) -> str:
    return natural_number(code["code"], code["number"])


def _total(texts: Sequence[str]) -> Decimal | None:
    amounts = [decimal(text) for text in texts]
    return None if None in amounts else sum(filter(None, amounts), Decimal(0))

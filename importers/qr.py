"""The text of an invoice's QR code: `01,kind,code,number,amount,day,check code,crc`."""

import re

from importers.papers import decimal

_GROSS = frozenset({"31", "32"})
"""Kinds of 数电票, whose amount is gross as that of every 20-digit number; older kinds state the net amount."""
_NUMBER = re.compile(r"\d{20}\Z|\d{8}\Z", re.ASCII)
_CODE = re.compile(r"(?:\d{10}|\d{12})?\Z", re.ASCII)
_DAY = re.compile(r"\d{8}\Z", re.ASCII)


def read_qr(text: str) -> dict[str, str] | None:
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

"""Money is a whole number of fen (1 yuan = 100 fen); nothing here ever holds a float."""

import re

Fen = int
MAX_FEN = 10**13
_YUAN = re.compile(r"(-?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?\Z", re.ASCII)


def parse_yuan(text: str) -> int:
    """Read an amount in yuan with at most two decimals ("1,234.5") as fen.

    Thousands separators must stand in the right places. Raises ValueError for anything else
    and for amounts of 100 billion yuan or more.
    """
    match = _YUAN.match(text)
    if match is None:
        raise ValueError(text)
    sign, whole, cents = match.groups()
    fen = int(whole.replace(",", "")) * 100 + int((cents or "0").ljust(2, "0"))
    if fen >= MAX_FEN:
        raise ValueError(text)
    return -fen if sign else fen


def format_yuan(fen: int, *, grouped: bool = False) -> str:
    """Write fen as yuan with two decimals: 123456 is "1234.56", grouped "1,234.56"."""
    sign = "-" if fen < 0 else ""
    whole, cents = divmod(abs(fen), 100)
    return f"{sign}{whole:,}.{cents:02d}" if grouped else f"{sign}{whole}.{cents:02d}"

"""One synthetic invoice as a value, and the amount in capitals; the builders beside it write it in each format."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

SELLER = ("91500112MA9X00011G", "合成算力服务有限公司")
BUYER = ("91500105MA9X000384", "合成用券企业科技有限公司")
GPU = "3040203000000000000"
SOFT = "3040201990000000000"


@dataclass(frozen=True)
class Row:
    item: str = "*信息技术服务*智算算力服务费"
    net: str = "94339.62"
    tax: str = "5660.38"
    code: str = GPU
    rate: str = "0.06"
    quantity: str = "8000"
    spec: str = "80G-8卡"
    unit: str = "卡时"
    price: str = "11.7924525"


@dataclass(frozen=True)
class Bill:
    """net, tax, gross: of the header, added up from the rows when empty. capitals: written from gross when empty."""

    number: str = "26502000000099900001"
    rows: Sequence[Row] = (Row(),)
    red_of: str = ""
    seller: tuple[str, str] = SELLER
    buyer: tuple[str, str] = BUYER
    issued: str = "2026-09-03"
    remark: str = "服务期间：2026-08-01至2026-08-31"
    version: str = "0.33"
    net: str = ""
    tax: str = ""
    gross: str = ""
    capitals: str = ""
    eiid: str = ""
    mark: str = ""
    sparse: bool = False
    signature: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def totals(self) -> tuple[str, str, str]:
        net = self.net or str(sum(Decimal(row.net) for row in self.rows))
        tax = self.tax or str(sum(Decimal(row.tax) for row in self.rows).quantize(Decimal("0.01")))
        return net, tax, self.gross or str(Decimal(net) + Decimal(tax))


def capitals(yuan: str) -> str:
    """Write an amount in capitals as invoices do."""
    amount = Decimal(yuan)
    fen = int(abs(amount) * 100)
    whole, coins = divmod(fen, 100)
    words = (_whole(whole) + "圆") if whole else ""
    jiao, cent = divmod(coins, 10)
    if not coins:
        words = (words or "零圆") + "整"
    else:
        zero = "零" if words and not jiao else ""
        words += zero + (_DIGITS[jiao] + "角" if jiao else "") + (_DIGITS[cent] + "分" if cent else "整")
    return ("（负数）" if amount < 0 else "") + words


_DIGITS = "零壹贰叁肆伍陆柒捌玖"


def _whole(number: int) -> str:
    for size, mark in ((10**8, "亿"), (10**4, "万")):
        if number >= size:
            high, low = divmod(number, size)
            zero = "零" if low and low < size // 10 else ""
            return _whole(high) + mark + zero + (_whole(low) if low else "")
    words, zero = "", False
    for size, mark in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
        digit, number = divmod(number, size)
        if digit:
            words += ("零" if zero and words else "") + _DIGITS[digit] + mark
            zero = False
        else:
            zero = True
    return words

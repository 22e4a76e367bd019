"""How late and how far off the bank may book a payment: the options of every command that matches the two."""

from console.chinese import NUMBER, YUAN, option
from reconciliation.bank import USUAL
from voucher.money import format_yuan

_TOLERANCE, _DAYS = format_yuan(USUAL.tolerance_fen), str(USUAL.days)
OPTIONS = (
    option("--tolerance", kind=YUAN, help=f"银行入账金额允许相差多少元，默认 {_TOLERANCE}", default=_TOLERANCE),
    option("--days", kind=NUMBER, shown="天数", help=f"从拨付到银行入账最多多少天，默认 {_DAYS}", default=_DAYS),
)

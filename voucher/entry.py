"""What people type at a door: kinds of values, each with the Chinese sentence for what does not fit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voucher.days import month_span, parse_day
from voucher.money import parse_yuan


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value. read: raises ValueError for what does not fit. says: the sentence then, with {value}."""

    name: str
    read: Callable[[str], Any]
    says: str


_PAGES = 10**9
"""More pages than any list has, and few enough to reckon with their rows."""


def _year(text: str) -> int:
    year = int(text)
    if not 2000 <= year <= 2199:
        raise ValueError(text)
    return year


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(text)
    return int(text)


def _page(text: str) -> int:
    number = _number(text)
    if number > _PAGES:
        raise ValueError(text)
    return max(number, 1)


def _month(text: str) -> str:
    month_span(text)
    return text


def _text(text: str) -> str:
    text.encode()  # an argument's bytes that are no UTF-8 come as what cannot be written again
    return text


YUAN = Kind("金额", parse_yuan, "“{value}”不是金额，请写成以元为单位、最多两位小数的数字，例如 1234.56")
DAY = Kind("日期", parse_day, "“{value}”不是日期，请写成 2026-08-31")
MONTH = Kind("年-月", _month, "“{value}”不是月份，请写成 2026-08")
YEAR = Kind("年度", _year, "“{value}”不是年度，请写成四位数字，例如 2026")
NUMBER = Kind("编号", _number, "“{value}”不是编号，应为一串数字")
PAGE = Kind("页码", _page, "没有第“{value}”页，请从页面上翻页")
TEXT = Kind("文字", _text, "“{value}”里有不是 UTF-8 的字符，请重新输入")

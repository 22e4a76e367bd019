"""Codes of the second factor: the vectors of RFC 6238, and when a code is good."""

import re

import numpy
import pytest
import zxingcpp
from lxml import etree

from portal.pages.second import qr
from voucher import second

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The base32 of 12345678901234567890, the key of the vectors for SHA-1."""
VECTORS = [
    (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
    (2000000000, "69279037"), (20000000000, "65353130"),
]  # fmt: skip
"""Seconds since 1970 and the code of eight digits; ours has the last six of them."""


@pytest.mark.parametrize(("now", "code"), VECTORS)
def test_codes_are_those_of_the_standard(now: int, code: str) -> None:
    assert second.matching(SECRET, code[2:], now) == now // 30


@pytest.mark.parametrize(("late", "good"), [(-31, False), (-30, True), (0, True), (59, True), (60, False)])
def test_a_code_is_good_half_a_minute_before_and_after_its_own(late: int, good: bool) -> None:
    began = 1111111110
    assert (second.matching(SECRET, "050471", began + late) == began // 30) is good


@pytest.mark.parametrize("code", ["", "000000", "94287082", "28708", "二二二二二二", "２８７０８２"])
def test_nothing_else_is_a_code(code: str) -> None:
    assert second.matching(SECRET, code, 59) is None


def test_the_picture_is_read_back_as_the_address() -> None:
    address = second.address("经办甲", SECRET)
    assert address.startswith("otpauth://totp/")
    assert f"secret={SECRET}" in address
    root = etree.fromstring(qr(address))
    assert (root.get("role"), root.get("style")) == ("img", None)
    size = int(root.get("width"))
    painted = numpy.full((size, size), 255, numpy.uint8)
    for square in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", root.find(".//{*}path").get("d")):
        x, y, width, height = map(int, square)
        painted[y : y + height, x : x + width] = 0
    assert zxingcpp.read_barcode(painted).text == address

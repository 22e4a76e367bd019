"""The unified social credit code (统一社会信用代码) and the two check characters within it."""

import re
from functools import lru_cache
from typing import Literal

from stdnum.cn import uscc as _stdnum

Verdict = Literal["ok", "bad", "organisation_digit"]
_SHAPE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}\Z", re.ASCII)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def normal(code: str) -> str:
    """Return the code stripped and in capitals, as it is stored."""
    return code.strip().upper()


def organisation_digit(body: str) -> str:
    """Return the check character of an 8-character organisation code.

    Raises ValueError for characters other than digits and capital letters.
    Source: GB 11714, modulus 11 over the values 0–9 and A=10 … Z=35.
    """
    total = sum(int(char, 36) * weight for char, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True))
    return "0X987654321"[total % 11]


@lru_cache(maxsize=16_384)  # the same parties stand in upload after upload
def check(code: str) -> Verdict:
    """Tell whether a code is sound: "bad" is an error, "organisation_digit" only a warning.

    The 18th character is checked with python-stdnum (GB 32100). Unlike its `validate`, the first two characters may be
    letters (N farmers' cooperatives, Y others), as GB 32100 allows. Characters 9–17 carry a digit of their own that
    many true codes of converted bodies fail, hence the warning.
    """
    code = normal(code)
    if _SHAPE.match(code) is None or _stdnum.calc_check_digit(code[:17]) != code[17]:
        return "bad"
    return "ok" if organisation_digit(code[8:16]) == code[16] else "organisation_digit"

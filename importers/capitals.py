"""Read an amount in capitals (大写金额), as invoices write it beside the figure."""

import re

from importers.text import clean_id

_DIGITS = {
    char: value
    for value, chars in enumerate(
        ("零〇0", "壹一弌", "贰二貳两", "叁三叄參", "肆四", "伍五", "陆六陸", "柒七", "捌八", "玖九")
    )
    for char in chars
}
_SMALL = {"拾": 10, "十": 10, "佰": 100, "百": 100, "仟": 1000, "千": 1000}
_SHAPE = re.compile(r"(?P<yuan>[^元角分整]*元)?零?(?P<jiao>[^元角分整]角)?零?(?P<fen>[^元角分整]分)?整?\Z")
_LONGEST = 60


def parse_capitals(text: str) -> int | None:
    """Return the amount in fen, negative for （负数）…, None when it cannot be read."""
    words = re.sub(r"\s+", "", clean_id(text))[:_LONGEST]
    words = words.removeprefix("人民币").translate(str.maketrans("圆圓萬億正", "元元万亿整"))
    negative = re.match(r"\((?:负数|负)\)|负数?", words)
    if negative:
        words = words[negative.end() :]
    match = _SHAPE.match(words)
    if match is None or not any(match.groups()):
        return None
    yuan = 0
    if match["yuan"]:
        whole = _whole(match["yuan"][:-1])
        if whole is None:
            return None
        yuan = whole
    coins = [_DIGITS.get(match[name][0]) if match[name] else 0 for name in ("jiao", "fen")]
    if coins[0] is None or coins[1] is None:
        return None
    total = yuan * 100 + coins[0] * 10 + coins[1]
    return -total if negative else total


def _whole(words: str) -> int | None:
    """Read the part before 元."""
    for mark, size in (("亿", 10**8), ("万", 10**4)):
        left, found, right = words.partition(mark) if mark == "万" else words.rpartition(mark)
        if found:
            high, low = _whole(left), _whole(right.lstrip("零")) if right.strip("零") else 0
            return None if high is None or low is None else high * size + low
    return _section(words)


def _section(words: str) -> int | None:
    """Read up to four places, such as 壹仟零伍拾."""
    total, digit = 0, None
    for place, char in enumerate(words):
        if char in _SMALL:
            if digit is None and place > 0:
                return None
            total += (1 if digit is None else digit) * _SMALL[char]
            digit = None
        elif char in _DIGITS:
            digit = _DIGITS[char] or None
        else:
            return None
    return total + (digit or 0) if words else None

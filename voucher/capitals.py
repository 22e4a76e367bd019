"""Write an amount in capitals (大写金额), as payment lists carry it beside the figure.

Source: 正确填写票据和结算凭证的基本规定: 元 or 角 without 分 ends with 整; one 零 stands for any zeros within.
"""

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_SECTIONS = ("", "万", "亿", "万")
"""Above 10^12 the sections of 亿 that follow name the 亿 themselves."""


def capitals(fen: int) -> str:
    """Write fen in capitals: 100 is 壹元整, 1000205 is 壹万零贰元零伍分; below zero begins with 负."""
    assert abs(fen) < 10**18
    yuan, cents = divmod(abs(fen), 100)
    jiao, single = divmod(cents, 10)
    words = _whole(yuan) + "元" if yuan else ""
    if not cents:
        words = (words or "零元") + "整"
    elif not single:
        words += f"{_DIGITS[jiao]}角整"
    else:
        tens = f"{_DIGITS[jiao]}角" if jiao else "零" if yuan else ""
        words += f"{tens}{_DIGITS[single]}分"
    return ("负" if fen < 0 else "") + words


def _whole(yuan: int) -> str:
    """Write the yuan, four places at a time."""
    words, zero = "", False
    for power in range(3, -1, -1):
        section = yuan // 10 ** (4 * power) % 10_000
        if not section:
            zero = bool(words)
            if power == 2 and yuan >= 10**12:
                words += "亿"
            continue
        inner = _section(section)
        if words and (zero or section < 1000):
            words += "零"
        words += inner + _SECTIONS[power]
        zero = False
    return words


def _section(number: int) -> str:
    """Write up to four places; a zero between two digits is written once."""
    words, zero = "", False
    for power in range(3, -1, -1):
        digit = number // 10**power % 10
        if digit:
            words += ("零" if zero and words else "") + _DIGITS[digit] + _PLACES[power]
            zero = False
        else:
            zero = True
    return words

"""Typeset data with a template: a PDF, or a chart as SVG or PNG; the same data gives the same bytes.

One way for all that is printed or drawn. Text of an SVG is outlines, so whoever looks at it needs no font; here a
Chinese font is needed, from the package that the extra `fonts` brings, else from the system.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import typst

from voucher.acts import canonical
from voucher.errors import Refused

Form = Literal["pdf", "svg", "png"]
_PACKAGE = "noto-cjk-sans-otc"
_FAMILIES = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "PingFang SC",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Noto Serif CJK SC", "SimSun", "Songti SC", "Droid Sans Fallback",
)  # fmt: skip
"""Families that have the characters of Chinese business, the best first."""


def typeset(template: str, data: Mapping[str, Any], form: Form = "pdf") -> bytes:
    """Fill a template of reconciliation/templates with JSON-able data. Returns the file's bytes.

    Raises Refused (`no_font`) where no Chinese font is found: a page of boxes helps nobody.
    """
    family, fonts = chinese_font()
    source = files("reconciliation").joinpath("templates", f"{template}.typ").read_bytes()
    made = typst.Compiler(source, font_paths=fonts, sys_inputs={"data": canonical(data), "font": family}).compile(
        format=form, ppi=144
    )
    if isinstance(made, list):
        made = made[0]
    assert made is not None
    return made


@cache
def chinese_font() -> tuple[str, typst.Fonts]:
    """Find a Chinese font: that of the package, else one of the system. Raises Refused (`no_font`)."""
    for fonts in _places():
        families = set(fonts.families())
        for family in _FAMILIES:
            if family in families:
                return family, fonts
    raise Refused(
        "no_font",
        "本机没有中文字体，无法生成 PDF 或图。请安装其一：apt install fonts-noto-cjk（系统字体），"
        f"或 pip install {_PACKAGE}（只装给本程序用）。",
    )


def _places() -> Iterator[typst.Fonts]:
    """Give the fonts of the package by themselves, so that a system's own cannot change a byte, then the system's."""
    try:
        found = distribution(_PACKAGE).files or []
    except PackageNotFoundError:
        found = []
    folders = sorted({str(Path(file.locate()).parent) for file in found if file.suffix in (".ttc", ".otf", ".ttf")})
    if folders:
        yield typst.Fonts(include_system_fonts=False, font_paths=folders)
    yield typst.Fonts()

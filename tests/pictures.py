"""Pictures for the handbooks: small, with few colours; `CVL_WRITE_HANDBOOK=1` writes them anew."""

import io
import os
from collections.abc import Sequence
from pathlib import Path

import typst
from PIL import Image

from reconciliation.typeset import chinese_font
from voucher.acts import canonical

DOCS = Path(__file__).resolve().parents[1] / "docs"
COLOURS, WIDTH, PAGE_WIDTH = 128, 1280, 630
TERMINAL = """
#set page(width: 640pt, height: auto, margin: 14pt, fill: rgb("#1c2430"))
#show raw: set text(font: sys.inputs.font, size: 8.5pt, fill: rgb("#e6e9ee"))
#raw(json(bytes(sys.inputs.data)).join("\\n"), block: true)
"""


def wanted() -> bool:
    """Tell whether the pictures are to be written."""
    return bool(os.environ.get("CVL_WRITE_HANDBOOK"))


def save(picture: Image.Image, name: str) -> None:
    """Write a picture with few colours."""
    few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(DOCS / f"{name}.png", optimize=True)


def terminal(lines: Sequence[str]) -> Image.Image:
    """Draw what a command said."""
    family, fonts = chinese_font()
    compiler = typst.Compiler(
        TERMINAL.encode(), font_paths=fonts, sys_inputs={"data": canonical(list(lines)), "font": family}
    )
    made = compiler.compile(format="png", ppi=144)
    assert isinstance(made, bytes)
    return Image.open(io.BytesIO(made))


def beside(above: Image.Image, pages: Sequence[bytes]) -> Image.Image:
    """Put pages of paper side by side under a picture."""
    sheets = [scaled(Image.open(io.BytesIO(page)), PAGE_WIDTH) for page in pages]
    top = scaled(above, WIDTH)
    whole = Image.new("RGB", (WIDTH, top.height + 20 + max(sheet.height for sheet in sheets)), "white")
    whole.paste(top, (0, 0))
    for place, sheet in enumerate(sheets):
        whole.paste(sheet, (place * (WIDTH - PAGE_WIDTH), top.height + 20))
    return whole


def scaled(picture: Image.Image, width: int) -> Image.Image:
    """Bring a picture to a width."""
    return picture.convert("RGB").resize((width, picture.height * width // picture.width), Image.Resampling.LANCZOS)

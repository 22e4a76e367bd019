"""Pictures of what commands print, for the handbook: SVG with text as text, in the fonts of whoever looks at it."""

import re
import unicodedata
from collections.abc import Iterator
from html import escape

CELL, LINE, SIZE, EDGE, MOST = 8, 22, 15, 16, 150
FONTS = "'Noto Sans Mono CJK SC','Sarasa Mono SC',Menlo,Consolas,'DejaVu Sans Mono','Microsoft YaHei',monospace"
COLOURS = "text{fill:#1d2733;white-space:pre}.asked{font-weight:bold;fill:#0b5394}.left{fill:#6b3a00}"
STYLE = f"text{{font:{SIZE}px {FONTS}}}{COLOURS}"
_RUN = re.compile(r"[!-~]+(?: [!-~]+)*|[^ -~]+")


def cells(text: str) -> int:
    """Tell how many places of a terminal a text takes; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def wrapped(line: str) -> Iterator[str]:
    """Break a line where a terminal would."""
    part = ""
    for each in line:
        if cells(part + each) > MOST:
            yield part
            part = ""
        part += each
    yield part


def drawn(session: str) -> str:
    """Draw a session: its commands, each begun with `$ `, and what they said; every run of text keeps its column."""
    shown = [(part, _kind(line)) for line in session.splitlines() for part in wrapped(line)]
    width = max(cells(part) for part, _ in shown) * CELL + 2 * EDGE
    height = len(shown) * LINE + 2 * EDGE
    rows = "".join(_row(part, kind, place) for place, (part, kind) in enumerate(shown, 1))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f"<style>{STYLE}</style>\n"
        f'<rect width="{width}" height="{height}" rx="6" fill="#f6f8fa" stroke="#c8d1dc"/>\n{rows}</svg>\n'
    )


def _kind(line: str) -> str:
    return "asked" if line.startswith("$ ") else "left" if line.startswith("（退出码") else "said"


def _row(part: str, kind: str, place: int) -> str:
    """Draw one line; a run is as wide as its places, whatever the font."""
    y = EDGE + place * LINE - (LINE - SIZE)
    runs = "".join(
        f'<tspan x="{EDGE + cells(part[: run.start()]) * CELL}" textLength="{cells(run[0]) * CELL}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(run[0], quote=False)}</tspan>'
        for run in _RUN.finditer(part)
    )
    return f'<text y="{y}" class="{kind}">{runs}</text>\n' if runs else ""

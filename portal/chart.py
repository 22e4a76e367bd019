"""Charts of reports as SVG, drawn here: text is text, colours are the stylesheet's, the table below says the same."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from reconciliation.document import Chart, Column, Report, Value, ticks
from voucher.money import format_yuan

WIDTH, BAR, GAP, LEFT, MOST = 720, 16, 10, 190, 12
_HEIGHT, _BOTTOM = 240, 30
_TONES = ("a", "b", "c", "d")


def charts(report: Report) -> list[Markup]:
    """Draw what a report's header asks for, of its first sheet; nothing of an empty one."""
    return [drawn for chart in report.layout.charts if (drawn := _draw(report, chart))]


def _draw(report: Report, chart: Chart) -> Markup | None:
    columns = {column.name: (place, column) for place, column in enumerate(report.layout.columns)}
    rows = report.sections[0].rows
    names = [str(row[columns[chart.category][0]] or "") for row in rows]
    series = [(columns[name][1], [row[columns[name][0]] for row in rows]) for name in chart.values]
    if not any(isinstance(value, int) and value for _, values in series for value in values):
        return None
    body = _lines(names, series) if chart.type == "line" else _bars(names[:MOST], series)
    shown = f"（前{MOST}项）" if chart.type != "line" and len(names) > MOST else ""
    return Markup(
        body.replace("<title/>", f"<title>{escape(report.layout.title)}：{escape(chart.title)}{shown}</title>")
    )


def _bars(names: Sequence[str], series: Sequence[tuple[Column, Sequence[Value]]]) -> str:
    """Draw bars, one group per name."""
    most = max((abs(v) for _, values in series for v in values[: len(names)] if isinstance(v, int)), default=0) or 1
    group = BAR * len(series) + GAP
    height = group * len(names) + (24 if len(series) > 1 else 6)
    parts = [_open(height)]
    for place, name in enumerate(names):
        top = place * group + 4
        parts.append(f'<text x="{LEFT - 8}" y="{top + BAR - 4}" text-anchor="end">{escape(_cut(name))}</text>')
        for turn, (column, values) in enumerate(series):
            value = values[place]
            if not isinstance(value, int):
                continue
            wide, y = max(1, abs(value) * (WIDTH - LEFT - 130) // most), top + turn * BAR
            parts.append(f'<rect class="{_tone(turn)}" x="{LEFT}" y="{y}" width="{wide}" height="{BAR - 3}"/>')
            parts.append(f'<text class="soft" x="{LEFT + wide + 6}" y="{y + BAR - 4}">{_said(column, value)}</text>')
    return "".join([*parts, *_legend(series, height - 8), "</svg>"])


def _lines(names: Sequence[str], series: Sequence[tuple[Column, Sequence[Value]]]) -> str:
    """Draw one line per series over the names."""
    scale = ticks(max((v for _, values in series for v in values if isinstance(v, int)), default=0))
    most = scale[-1]
    high, step = _HEIGHT - _BOTTOM - 20, (WIDTH - LEFT - 20) // max(1, len(names) - 1)
    parts = [_open(_HEIGHT + 20)]
    for tick in scale:
        y = 12 + high - high * tick // most
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - 10}" y2="{y}"/>')
        label = _said(series[0][0], tick).replace(".00万", "万")
        parts.append(f'<text class="soft" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{label}</text>')
    for place, name in enumerate(names):
        x = LEFT + place * step
        parts.append(f'<text class="soft" x="{x}" y="{high + 30}" text-anchor="middle">{escape(name[-2:])}</text>')
    for turn, (_, values) in enumerate(series):
        points = " ".join(
            f"{LEFT + place * step},{12 + high - high * max(0, value) // most}"
            for place, value in enumerate(values) if isinstance(value, int)
        )  # fmt: skip
        parts.append(f'<polyline class="line {_tone(turn)}" points="{points}"/>')
    return "".join([*parts, *_legend(series, _HEIGHT + 10), "</svg>"])


def _legend(series: Sequence[tuple[Column, Sequence[Value]]], y: int) -> list[str]:
    """Name the tones where there are several."""
    if len(series) < 2:
        return []
    parts = []
    for turn, (column, _) in enumerate(series):
        x = LEFT + turn * 160
        parts.append(f'<rect class="{_tone(turn)}" x="{x}" y="{y - 9}" width="12" height="10"/>')
        parts.append(f'<text x="{x + 18}" y="{y}">{escape(column.title)}</text>')
    return parts


def _tone(turn: int) -> str:
    return _TONES[turn % len(_TONES)]


def _open(height: int) -> str:
    return f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"><title/>'


def _said(column: Column, value: int) -> str:
    """Write a value short: money in 万元."""
    if column.type == "money":
        hundredths = (abs(value) + 5_000) // 10_000  # as the figures beside it are rounded
        return f"{format_yuan(-hundredths if value < 0 else hundredths, grouped=True)}万"
    return f"{value // 100}.{value % 100:02d}%" if column.type == "percent" else f"{value:,}"


def _cut(name: str) -> str:
    return name if len(name) <= 13 else f"{name[:12]}…"

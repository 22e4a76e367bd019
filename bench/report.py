"""The results as a table: on the screen, and as bench/RESULTS.md between its two marks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.clock import Cost

RESULTS = Path(__file__).parent / "RESULTS.md"
_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"
_SHARE = {"zip": 4.0, "xlsx": 3.0, "import": 2.5, "draft": 2.5, "approve": 3.0}
"""Work to how many times its floor it may take (DESIGN 10)."""
CHECKS_SECONDS, MATCH_SECONDS, UPLOAD_SECONDS, PAGE_SECONDS = 15.0, 10.0, 0.1, 0.3
IMPORT_MIB, GROWTH = 400, 11.0


@dataclass(slots=True)
class Measured:
    """One work at one size. costs and floors: of each repetition, in order of time. note: what else was seen."""

    work: str
    rows: int
    costs: list[Cost] = field(default_factory=list)
    floors: list[Cost] = field(default_factory=list)
    note: str = ""

    @property
    def seconds(self) -> list[float]:
        """Seconds of each repetition."""
        return [cost.seconds for cost in self.costs]

    @property
    def floor_seconds(self) -> list[float]:
        """Seconds of each repetition of the floor."""
        return [cost.seconds for cost in self.floors]

    @property
    def ratio(self) -> float | None:
        """Median over the median of the floor."""
        return median(self.seconds) / median(self.floor_seconds) if self.floors else None

    @property
    def cpu(self) -> tuple[float | None, float | None]:
        """Median of the processor seconds, of the work and of its floor."""
        return _cpu(self.costs), _cpu(self.floors)


def _cpu(costs: Sequence[Cost]) -> float | None:
    known = [cost.cpu for cost in costs if cost.cpu is not None]
    return median(known) if known else None


def spread(seconds: Sequence[float]) -> str:
    """Write seconds as median and range."""
    if not seconds:
        return "–"
    digits = 2 if median(seconds) < 20 else 1
    low, middle, high = (f"{x:.{digits}f}" for x in (min(seconds), median(seconds), max(seconds)))
    return f"{middle} ({low}–{high}, n={len(seconds)})"


def _limit(one: Measured) -> tuple[str, bool | None]:
    """Say what the work is held to and whether it holds."""
    if one.ratio is not None and one.work in _SHARE:
        share = _SHARE[one.work]
        return f"≤ {share:g}×", one.ratio <= share
    if one.work == "checks":
        return f"≤ {CHECKS_SECONDS:g} s at 1,000,000", median(one.seconds) <= CHECKS_SECONDS
    if one.work == "match":
        return f"< {MATCH_SECONDS:g} s at 300,000", median(one.seconds) < MATCH_SECONDS
    if one.work.startswith("upload"):
        limit = f"p99 < {UPLOAD_SECONDS * 1000:g} ms" if "8" in one.work else "–"
        return limit, quantile(one.seconds, 0.99) < UPLOAD_SECONDS if "8" in one.work else None
    if one.work == "portal: page":
        return f"p99 < {PAGE_SECONDS * 1000:g} ms", quantile(one.seconds, 0.99) < PAGE_SECONDS
    return "–", None


def quantile(seconds: Sequence[float], share: float) -> float:
    """Return the value that so large a share of the values does not exceed."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def shares(seconds: Sequence[float]) -> str:
    """Write the median and the slowest twentieth and hundredth in milliseconds."""
    return ", ".join(f"p{q} {quantile(seconds, q / 100) * 1000:.0f} ms" for q in (50, 95, 99))


def table(measured: Sequence[Measured]) -> list[str]:
    """Write the figures as a table in Markdown."""
    lines = [
        "| work | rows | seconds: median (range) | floor: median (range) | ratio | CPU s / floor | held to | holds |"
        " notes |",
        "|---|---:|---:|---:|---:|---:|---|---|---|",
    ]
    for one in measured:
        limit, holds = _limit(one)
        ratio = "–" if one.ratio is None else f"{one.ratio:.2f}×"
        verdict = {True: "yes", False: "**no**", None: "–"}[holds]
        lines.append(
            f"| {one.work} | {one.rows:,} | {spread(one.seconds)} | {spread(one.floor_seconds)} | {ratio} |"
            f" {_cpu_share(one)} | {limit} | {verdict} | {one.note} |"
        )
    return lines + growth(measured)


def _cpu_share(one: Measured) -> str:
    """Write the processor seconds of a work, those of its floor, and their ratio."""
    work, floor = one.cpu
    if work is None:
        return "–"
    return f"{work:.1f}" if not floor else f"{work:.1f} / {floor:.1f} = {work / floor:.2f}×"


def growth(measured: Sequence[Measured]) -> list[str]:
    """Compare each work at its smallest and its largest size."""
    lines = []
    for work in dict.fromkeys(one.work for one in measured):
        sizes = sorted((one for one in measured if one.work == work), key=lambda one: one.rows)
        if len(sizes) < 2 or work.startswith(("upload", "portal")):
            continue
        times = median(sizes[-1].seconds) / median(sizes[0].seconds)
        most = GROWTH * sizes[-1].rows / sizes[0].rows / 10
        verdict = "holds" if times <= most else "**does not hold**"
        lines.append(
            f"- {work}: {sizes[0].rows:,} → {sizes[-1].rows:,} rows: {times:.1f}× the time (≤ {most:g}×: {verdict})"
        )
    return ["", "Growth:", "", *lines] if lines else []


def write(lines: Sequence[str]) -> None:
    """Put the lines between the marks of RESULTS.md; what is written around them stays."""
    text = RESULTS.read_text("utf-8") if RESULTS.exists() else f"# Measured\n\n{_BEGIN}\n{_END}\n"
    before, rest = text.split(_BEGIN, 1)
    after = rest.split(_END, 1)[1]
    RESULTS.write_text(f"{before}{_BEGIN}\n" + "\n".join(lines) + f"\n{_END}{after}", encoding="utf-8")

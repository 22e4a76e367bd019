"""Write bench/MUTANTS.md: how many mutants of the settlement rules the tests kill, and why the others survive.

Run after `mutmut run`. A reason belongs to the line that is changed and what it is changed to (survivors.toml);
a survivor without one is exit status 1, and so is a reason without a survivor, a mutant that was not tried, or less
than nine tenths killed.
"""

import json
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
MUTANTS = HERE.parent / "mutants"
WANTED = 0.9
OUTCOMES = {0: "survived", 5: "survived", 33: "survived"} | dict.fromkeys((1, 3, 24, -24, 36, 152, 255), "killed")
"""By the exit status of the tests that mutmut keeps: all passed, or none ran; one failed, or they ran too long."""


def main() -> int:
    """Read what mutmut found and write the page. Returns the exit status."""
    found: dict[str, Counter[str]] = {}
    survivors: list[tuple[str, str]] = []
    for meta in sorted(MUTANTS.glob("settlement/*.meta")):
        counts = found.setdefault(meta.name.removesuffix(".meta"), Counter())
        for name, status in json.loads(meta.read_text("utf-8"))["exit_code_by_key"].items():
            outcome = OUTCOMES.get(status, "unknown")
            counts[outcome] += 1
            if outcome == "survived":
                survivors.append((name, changed(name)))
    reasons: dict[str, str] = tomllib.loads((HERE / "survivors.toml").read_text("utf-8"))
    page = written(found, survivors, reasons)
    (HERE / "MUTANTS.md").write_text(page, "utf-8")
    sums = sum(found.values(), Counter())
    told = {change for _, change in survivors} == reasons.keys()
    return 0 if told and not sums["unknown"] and sums["killed"] >= WANTED * (sums.total() or 1) else 1


def changed(name: str) -> str:
    """Return what a mutant changes: the lines that go, an arrow, the lines that come."""
    shown = subprocess.run(
        [sys.executable, "-m", "mutmut", "show", name], capture_output=True, text=True, check=True, cwd=HERE.parent
    ).stdout.splitlines()
    gone = [line[1:].strip() for line in shown if line.startswith("-") and not line.startswith("---")]
    come = [line[1:].strip() for line in shown if line.startswith("+") and not line.startswith("+++")]
    return f"{' '.join(gone)} → {' '.join(come)}"


def written(found: dict[str, Counter[str]], survivors: list[tuple[str, str]], reasons: dict[str, str]) -> str:
    """Write the page."""
    lines = ["# Mutants of the settlement rules", "", "Written by `python -m bench.mutants` after `mutmut run`.", ""]
    lines += [
        "Mutated is what computes the worth and the lines without a database, and only tests without one judge it.",
        "",
    ]
    lines += ["| module | killed | survived | not tried | killed of those tried |", "|---|---|---|---|---|"]
    for module, counts in [*found.items(), ("all", sum(found.values(), Counter()))]:
        tried = counts["killed"] + counts["survived"]
        share = f"{counts['killed'] / tried:.1%}" if tried else "—"
        lines.append(f"| {module} | {counts['killed']} | {counts['survived']} | {counts['unknown']} | {share} |")
    lines += ["", "## Survivors", ""]
    for name, change in survivors:
        lines.append(f"- `{name.split('__mutmut')[0]}`: `{change}`. {reasons.get(change, '**no reason yet**')}")
    for change in sorted(reasons.keys() - {change for _, change in survivors}):
        lines.append(f"- `{change}`: **a reason without a survivor**, to be taken out of survivors.toml.")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())

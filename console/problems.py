"""Problems of uploaded files, for machines and for people."""

from collections.abc import Sequence
from itertools import groupby

from voucher.problem import Problem, problem_data

__all__ = ["problem_data", "problem_lines"]

KINDS_SHOWN = 12
PLACES_SHOWN = 3
_GRAVITY = {"blocking": 0, "error": 1, "warning": 2}


def problem_lines(problems: Sequence[Problem]) -> list[str]:
    """Write the first problems of each code with their places; what must be mended comes before hints."""
    ordered = sorted(problems, key=lambda p: (_GRAVITY[p.severity], p.code, p.row or 0))
    groups = [(code, list(found)) for code, found in groupby(ordered, key=lambda p: p.code)]
    lines: list[str] = []
    for code, found in groups[:KINDS_SHOWN]:
        word = "提示" if found[0].severity == "warning" else "错误"
        lines.append(f"  {word} {code}，{len(found)}处：")
        for problem in found[:PLACES_SHOWN]:
            lines.append(f"    {_place(problem)}{problem.message}")
        if len(found) > PLACES_SHOWN:
            lines.append(f"    ……另有{len(found) - PLACES_SHOWN}处相同。")
    if len(groups) > KINDS_SHOWN:
        lines.append(f"  ……另有{len(groups) - KINDS_SHOWN}种问题。")
    return lines


def _place(problem: Problem) -> str:
    """Say where a problem is: row and column as the sheet shows them."""
    place = f"第{problem.row}行" if problem.row is not None else ""
    if problem.column and problem.column not in problem.message:
        place += f"“{problem.column}”"
    number = problem.invoice_number
    if number and number not in problem.message:
        place += f"（发票{number}）" if place else f"发票{number}"
    return f"{place}：" if place else ""

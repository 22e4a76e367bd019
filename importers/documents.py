"""Read a document of one invoice: guard it, have a child parse it, give its rows as any other format does."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from importers import guard, worker
from importers.limits import PAPER_LIMITS, Limits
from importers.messages import make
from importers.papers import Paper, blocking, chunk, from_data
from importers.parts import Aside, Part


def read_document(module: str, path: Path, *, today: date, limits: Limits = PAPER_LIMITS) -> Iterator[Part]:
    """Yield the rows of a document and what it says beside them. module: the format's, with `parse(path)`.

    Never raises for what is in the file.
    """
    problems = guard.check_file(path, limits)
    if problems:
        yield from problems
        return
    answer = worker.parse(module, path)
    if answer["code"]:
        yield make(answer["code"], value=answer["value"])
        return
    papers = [from_data(data) for data in answer["papers"]]
    if len({paper.number for paper in papers}) > 1:
        yield make("several_invoices_in_document", value="、".join(paper.number for paper in papers))
        return
    yield from _parts(papers[0], today)


def _parts(paper: Paper, today: date) -> Iterator[Part]:
    """Yield one paper's rows and asides, or what stops it."""
    if stops := blocking(paper):
        for fault in stops:
            yield make(fault.code, value=fault.value, column=fault.column, **dict[str, Any](fault.extra))
        return
    if paper.evidence:
        yield Aside("evidence", paper.evidence)
    for name, value in paper.notes.items():
        yield Aside(name, value)
    yield chunk(paper, today)

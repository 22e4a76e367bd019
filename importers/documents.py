"""Read documents of one invoice each: guard them, have a child parse them, give their rows as any format does."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from importers import guard, worker
from importers.chunks import ParsedChunk
from importers.limits import OFD_LIMITS, PAPER_LIMITS
from importers.messages import make
from importers.papers import Paper, blocking, chunks, from_data
from importers.parts import Aside, Part
from voucher.problem import Problem


def read_document(module: str, path: Path, *, today: date) -> Iterator[Part]:
    """Yield the rows of a document and what it says beside them. module: the format's, with `parse(data)`.

    Never raises for what is in the file.
    """
    problems = guarded(path)
    yield from problems or parts(worker.parse(module, [path.read_bytes()]), today)[0]


def guarded(source: guard.Source, kind: guard.FileKind | None = None) -> list[Problem]:
    """Return why a document may not be parsed, empty when it may. kind: of the file, when it is known."""
    kind = kind or guard.kind_by_content(source)
    return guard.check_file(source, OFD_LIMITS if kind == "ofd" else PAPER_LIMITS, kind)


def parts(answers: Sequence[worker.Answer], today: date) -> list[list[Part]]:
    """Return the parts of each document: its problems, or what it says and its rows. today: the business day."""
    found: list[list[Part]] = []
    whole: dict[int, Paper] = {}
    for place, answer in enumerate(answers):
        paper = _only(answer)
        found.append(_stops(paper) if isinstance(paper, Paper) else [paper])
        if isinstance(paper, Paper) and not found[-1]:
            whole[place] = paper
            found[-1] = [Aside("evidence", paper.evidence)] if paper.evidence else []
            found[-1] += [Aside(name, value) for name, value in paper.notes.items()]
    for place, rows in zip(whole, chunks(list(whole.values()), today), strict=True):
        found[place].append(rows)
    return found


def _only(answer: worker.Answer) -> Paper | Problem:
    """Return the one invoice of a document, or why there is none."""
    if answer["code"]:
        return make(answer["code"], value=answer["value"])
    papers = [from_data(data) for data in answer["papers"]]
    if len({paper.number for paper in papers}) > 1:
        return make("several_invoices_in_document", value="、".join(paper.number for paper in papers))
    return papers[0]


def _stops(paper: Paper) -> list[Part]:
    """List what stops a paper as a whole."""
    return [
        make(fault.code, value=fault.value, column=fault.column, **dict[str, Any](fault.extra))
        for fault in blocking(paper)
    ]


def numbers(document: Sequence[Part]) -> set[str]:
    """List the invoice numbers that the rows of a document name."""
    return {
        str(number)
        for part in document
        if isinstance(part, ParsedChunk)
        for number in part.values["invoice_number"]
        if number
    }


def is_red(document: Sequence[Part]) -> bool:
    """Tell whether a document is a red-letter."""
    return any("red" in part.values["invoice_kind"] for part in document if isinstance(part, ParsedChunk))

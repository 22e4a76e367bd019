"""Import the members of a folder or zip: each with its own outcome, documents of one invoice many at a time.

While many documents are imported in one transaction, each as an act of its own, the next ones are unpacked and parsed.
What goes wrong with one never stops the others.
"""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from importers import documents, formats, guard, worker
from importers.accept import Asked, Handed, import_file, import_handed
from importers.expand import Member, members
from importers.limits import MIB
from importers.outcome import Outcome, blocked
from importers.parts import Part
from importers.receive import Received, hold
from voucher.access import User
from voucher.days import business_day
from voucher.errors import Busy, CvlError, Misused, Stopped, Unreachable, cause
from voucher.problem import Problem

_LOG = logging.getLogger("cvl.import")
GROUP = 2_000
"""Documents of one transaction at most."""
GROUP_BYTES = 16 * MIB
MESSAGE = 50
"""Documents that are parsed at one message to the child."""
MESSAGE_BYTES = 4 * MIB
Ending = Outcome | CvlError


@dataclass(frozen=True, slots=True)
class Way:
    """How the members are handed in. listing: whether the outcome of a large table names every invoice."""

    engine: Engine
    user: User
    asked: Asked
    dry_run: bool = False
    listing: bool = False


@dataclass(slots=True)
class _Document:
    """One document that waits for its group. ending: once it is known."""

    member: Member
    format: formats.Format
    received: Received | None = None
    parts: Sequence[Part] = ()
    ending: Ending | None = None

    @property
    def sha256(self) -> str:
        return self.received.digests.sha256 if self.received else ""

    @property
    def module(self) -> str:
        return str(getattr(self.format, "__name__", ""))


def import_members(way: Way, file: Path) -> Iterator[tuple[Member, Ending]]:
    """Import a file, the files of a folder or the members of a zip in their order; yield how each ended."""
    kinds = formats.documents()
    with ThreadPoolExecutor(1) as parser, ThreadPoolExecutor(1) as writer:
        group, written = _Group(parser), writer.submit(list[_Document])
        for member in members(file, held=kinds):
            chosen = kinds.get(member.kind)
            if chosen is None or group.full:
                yield from _ended(written)
                group, written = _Group(parser), writer.submit(_import_group, way, group)
            if chosen is None or member.source is None:
                yield from _ended(written)
                written = writer.submit(list[_Document])
                yield member, _alone(way, member)
            else:
                group.add(member, member.source, chosen, copied=not way.dry_run)
        yield from _ended(written)
        yield from _ended(writer.submit(_import_group, way, group))


def _ended(written: Future[list[_Document]]) -> Iterator[tuple[Member, Ending]]:
    """Wait for a group and yield how each of its documents ended."""
    for document in written.result():
        assert document.ending is not None
        yield document.member, document.ending


def _alone(way: Way, member: Member) -> Ending:
    """Import one member by itself."""
    if member.path is None:
        return blocked("", member.problems)
    listing = way.listing or member.path.stat().st_size <= MIB
    try:
        return import_file(
            way.engine, member.path, way.user, way.asked, dry_run=way.dry_run, listing=listing, name=member.base
        )
    except CvlError as error:
        return error
    except Exception as error:
        return _stopped(error)


def _stopped(error: Exception) -> Stopped:
    """Say that one file met a mistake of the program, which is logged; it must not stop the others."""
    _LOG.error("a file stopped unexpectedly", exc_info=error)
    return Stopped(
        "unexpected",
        f"读取这个文件时程序出现意外错误（{type(error).__name__}），它没有入账，其他文件不受影响。"
        "请把这个文件和运行日志交给系统管理员。",
    )


@dataclass(slots=True)
class _Group:
    """Documents that are parsed and imported together."""

    parser: ThreadPoolExecutor
    found: list[_Document] = field(default_factory=list)
    unparsed: dict[str, list[tuple[_Document, bytes]]] = field(default_factory=dict)
    unparsed_bytes: int = 0
    parsing: list[tuple[Sequence[_Document], Future[list[worker.Answer]]]] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        """Tell whether the group should be imported before another document joins."""
        return len(self.found) >= GROUP or self.size >= GROUP_BYTES

    def add(self, member: Member, source: guard.Source, chosen: formats.Format, *, copied: bool) -> None:
        """Receive one document, and have it parsed with others. copied: whether it may be kept."""
        document = _Document(member, chosen)
        self.found.append(document)
        if problems := documents.guarded(source, member.kind):
            document.ending = blocked("", problems)
            return
        try:
            data = source if isinstance(source, bytes) else source.read_bytes()
        except OSError as error:
            document.ending = Misused("no_file", f"无法读取文件 {source!s}：{cause(error)}。请核对权限。")
            return
        document.received = hold(data, member.base, copied=copied)
        self.size += len(data)
        self.unparsed_bytes += len(data)
        waiting = self.unparsed.setdefault(document.module, [])
        waiting.append((document, data))
        if len(waiting) >= MESSAGE or self.unparsed_bytes >= MESSAGE_BYTES:
            self.parse()

    def parse(self) -> None:
        """Send what waits to the child, on the thread that talks with it."""
        for module, waiting in self.unparsed.items():
            asked, contents = zip(*waiting, strict=True)
            self.parsing.append((asked, self.parser.submit(worker.parse, module, contents)))
        self.unparsed, self.unparsed_bytes = {}, 0


def _import_group(way: Way, group: _Group) -> list[_Document]:
    """Import a group; returns its documents, each with its ending."""
    group.parse()
    asked = [document for waiting, _ in group.parsing for document in waiting]
    answers = [answer for _, future in group.parsing for answer in future.result()]
    for document, parts in zip(asked, documents.parts(answers, business_day()), strict=True):
        document.parts = parts
        problems = [part for part in parts if isinstance(part, Problem)]
        if any(problem.severity == "blocking" for problem in problems):
            document.ending = blocked(document.sha256, problems, document.format.NAME)
    for run in _runs([document for document in group.found if document.ending is None]):
        _import_run(way, run)
    return group.found


def _runs(found: Sequence[_Document]) -> Iterator[list[_Document]]:
    """Cut documents into runs in which no number and no file stands twice; red-letters last, behind their blues."""
    run: list[_Document] = []
    seen: set[str] = set()
    for document in found:
        keys = documents.numbers(document.parts) | {document.sha256}
        if keys & seen:
            yield sorted(run, key=lambda each: documents.is_red(each.parts))
            run, seen = [], set()
        run.append(document)
        seen |= keys
    if run:
        yield sorted(run, key=lambda each: documents.is_red(each.parts))


def _import_run(way: Way, run: Sequence[_Document]) -> None:
    """Import a run in one transaction; if that fails for more than being busy, each document by itself."""
    try:
        endings: Sequence[Ending] = import_handed(
            way.engine, [_handed(each) for each in run], way.user, way.asked, dry_run=way.dry_run, listing=True
        )
    except (Busy, Unreachable) as error:
        endings = [error] * len(run)
    except Exception as error:
        if len(run) > 1:
            for each in run:
                _import_run(way, [each])
            return
        endings = [error if isinstance(error, CvlError) else _stopped(error)]
    for document, ending in zip(run, endings, strict=True):
        document.ending = ending


def _handed(document: _Document) -> Handed:
    """Hand a parsed document in."""
    assert document.received is not None
    parts = document.parts
    return Handed(document.received, document.format.NAME, document.format.EVIDENCE, lambda: parts)

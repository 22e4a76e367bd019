"""Import files: receive, stage, check, accept per invoice, and say how each row ended.

Each file is an act of its own; those of one call are one transaction: a killed import leaves nothing, a dry run is
rolled back.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from importers import books, formats, guard, mapping, originals, usage
from importers.cells import read_invoice_number
from importers.outcome import Outcome, blocked, read
from importers.parts import Part
from importers.receive import Received, receive
from importers.sheets import UNIT
from importers.stage import Progress, Staged, make_tables, stage
from importers.usage_format import UsageFormat
from voucher import acts, database
from voucher.access import User
from voucher.acts import canonical
from voucher.database import query
from voucher.days import business_day, month_span
from voucher.errors import Misused, Refused
from voucher.problem import Problem

_LOOKS = 5
"""How often the books are looked at anew when others write the same files at the same time."""
_BUSY = "同一文件或同一发票的用量正由别人同时导入。请稍后再试一次，已受理的不会重复计算。"
Look = Callable[[Connection, int], None]
"""Sees the books within the transaction of an import, also of one that is rolled back; given the upload's id."""
Earlier = dict[str, list[Mapping[str, Any]]]
"""By SHA-256 the uploads of the same file, oldest first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a file was handed in. provider: USCC of the uploading provider, may be empty; received_on: the day.

    invoice, usage: of a file of usage: the invoice of lines that name none, and add, replace or nothing.
    """

    provider: str
    service_month: str
    received_on: date
    invoice: str = ""
    usage: str = ""


def ask(
    user: User, provider: str | None, service_month: str | None, received_on: date | None,
    invoice: str | None = None, mode: str | None = None,
) -> Asked:  # fmt: skip
    """Check how a file is handed in. Raises Misused or Refused."""
    today = business_day()
    if user.role == "provider":
        if provider is not None and provider != user.provider_uscc:
            raise Refused("not_your_file", "服务商只能上传本单位的文件。请去掉 --provider 或填写本单位的代码。")
        if received_on is not None and received_on != today:
            raise Refused("back_dated", "申报日由系统按当天记录；如需补记更早的日期，请联系经办人员。")
        provider = user.provider_uscc
    if received_on is not None and received_on > today:
        raise Misused("received_ahead", f"申报日 {received_on} 晚于今天（{today}）。请改为今天或更早的日期。")
    if service_month:
        try:
            month_span(service_month)
        except ValueError:
            raise Misused("bad_month", f"服务月份“{service_month}”无法识别。请写成 2026-08。") from None
    number, wrong = read_invoice_number(invoice or "")
    if wrong is not None:
        raise Misused("bad_invoice_number", f"--invoice：“{invoice}”不是有效的发票号码。请照发票填写完整号码。")
    if (mode or usage.MODES[0]) not in usage.MODES:
        raise Misused("bad_usage", f"--usage 不能是“{mode}”。请写 add（补充）或 replace（更正并取代）。")
    return Asked(provider or "", service_month or "", received_on or today, str(number or ""), mode or "")


def import_file(
    engine: Engine,
    source: Path,
    user: User,
    asked: Asked,
    *,
    dry_run: bool = False,
    listing: bool = False,
    progress: Progress = lambda _: None,
    name: str = "",
    look: Look = lambda _db, _upload_id: None,
) -> Outcome:
    """Import one file; with `listing` the outcome names every invoice. name: of the file when not its path's.

    look: sees the books as the import leaves them. Raises Misused, Refused, Busy; what is wrong with the file is in the
    outcome.
    """
    problems = guard.check_size(source)
    if problems:
        return blocked("", problems)
    with receive(source, copy=not dry_run, name=name) as received:
        handed = _identified(engine, received, asked)
        if isinstance(handed, Outcome):
            return handed
        way: dict[str, Any] = {"dry_run": dry_run, "listing": listing, "progress": progress, "look": look}
        if isinstance(handed, HandedUsage):
            return _import_usage(engine, handed, user, asked, **way)
        return import_handed(engine, [handed], user, asked, **way)[0]


@dataclass(slots=True)
class Handed:
    """A received file on its way into the books. read: gives its rows, anew at each call."""

    received: Received
    format: str
    evidence: str
    read: Callable[[], Iterable[Part]]
    staged: Staged = field(default_factory=Staged)
    upload_id: int = 0


@dataclass(frozen=True, slots=True)
class HandedUsage:
    """A received file of usage. kind: what its bytes are."""

    received: Received
    format: UsageFormat
    kind: str


def _identified(engine: Engine, received: Received, asked: Asked) -> Handed | HandedUsage | Outcome:
    """Guard a file that nobody else can change any more and find how to read it."""
    path, sha256 = received.path, received.digests.sha256
    problems = guard.check_file(path)
    if problems:
        return blocked(sha256, problems)
    kind = guard.kind_by_content(path)
    chosen = _format(engine, path, kind, asked)
    if isinstance(chosen, Problem):
        return blocked(sha256, [chosen])
    if isinstance(chosen, UsageFormat):
        return HandedUsage(received, chosen, kind)
    return Handed(received, chosen.NAME, chosen.EVIDENCE, lambda: chosen.read(path, kind, today=business_day()))


def _format(engine: Engine, path: Path, kind: str, asked: Asked) -> formats.Format | Problem:
    """Find how to read a file: a format that knows it, else a saved mapping, else what is wrong with its header."""
    chosen = formats.known(path, kind)
    if chosen is not None or kind not in ("csv", "xlsx"):
        return chosen or formats.identify(path, kind)
    mapped = database.run(engine, lambda db: mapping.find(db, path, kind, asked.provider), "cvl_auditor")
    return mapped or mapping.unknown(path, kind) or formats.identify(path, kind)


class _Undone(Exception):
    """Rolls a transaction back. answers: place to outcome of what needs no other look."""

    def __init__(self, answers: Mapping[int, Outcome]) -> None:
        super().__init__()
        self.answers = answers


def import_handed(
    engine: Engine, handed: Sequence[Handed], user: User, asked: Asked, *, dry_run: bool = False,
    listing: bool = False, progress: Progress = lambda _: None, look: Look = lambda _db, _upload_id: None,
) -> list[Outcome]:  # fmt: skip
    """Import files in one transaction, each an act of its own; no invoice number may stand in two of them.

    Returns their outcomes in the same order. Raises Refused, Busy, Unreachable.
    """
    answers: dict[int, Outcome] = {}

    def looked(db: Connection, outcomes: Mapping[int, Outcome]) -> None:
        for each in outcomes.values():
            if each.upload_id is not None:
                look(db, each.upload_id)

    def work(db: Connection) -> Mapping[int, Outcome]:
        earlier = _earlier(db, handed, asked)
        known = _known(db, handed, earlier, answers, listing=listing)
        rest = {place: each for place, each in enumerate(handed) if place not in known}
        if rest:
            make_tables(db)
        with database.undone(db) if dry_run else nullcontext():
            fresh = _import(db, rest, earlier, user, asked, listing, progress) if rest else {}
            looked(db, known | fresh)
        return known | {n: replace(each, upload_id=None) if dry_run else each for n, each in fresh.items()}

    for _ in range(_LOOKS):
        try:
            return _in_order(database.run(engine, work))
        except _Undone as undone:
            answers |= undone.answers
            if len(answers) == len(handed):
                database.run(engine, partial(looked, outcomes=answers))
                return _in_order(answers)
        except acts.Overtaken:
            continue
    raise Refused("file_busy", _BUSY)


def _import_usage(
    engine: Engine, handed: HandedUsage, user: User, asked: Asked, *, dry_run: bool, listing: bool,
    progress: Progress, look: Look,
) -> Outcome:  # fmt: skip
    """Import a file of usage; the same bytes for the same invoice and provider count once."""
    sha256 = handed.received.digests.sha256
    key = {"sha256": sha256, "invoice": asked.invoice, "provider": asked.provider}

    def taken(db: Connection) -> Outcome:
        try:
            with acts.act(db, "usage", usage.reference(db, key, asked.usage), user.name, key) as act:
                problems = usage.take(
                    db, act.act_id, handed.received, handed.format, handed.kind, provider=asked.provider,
                    received_on=asked.received_on, today=business_day(), invoice=asked.invoice, mode=asked.usage,
                    progress=progress,
                )  # fmt: skip
                if any(problem.severity == "blocking" for problem in problems):
                    raise _Undone({0: blocked(sha256, problems, handed.format.NAME)})
                books.put_problems(db, {act.act_id: problems})
                originals.keep([handed.received])
            return read(db, [act.act_id], listing=listing)[act.act_id]
        except acts.AlreadyDone as done:
            return read(db, [done.act_id], fresh=False, listing=listing)[done.act_id]

    def work(db: Connection) -> Outcome:
        with database.undone(db) if dry_run else nullcontext():
            outcome = taken(db)
            assert outcome.upload_id is not None
            look(db, outcome.upload_id)
        return replace(outcome, upload_id=None) if dry_run and outcome.fresh else outcome

    for _ in range(_LOOKS):
        try:
            return database.run(engine, work)
        except _Undone as undone:
            return undone.answers[0]
        except acts.Overtaken:
            continue
    raise Refused("file_busy", _BUSY)


def _in_order(answers: Mapping[int, Outcome]) -> list[Outcome]:
    return [answers[place] for place in sorted(answers)]


def _earlier(db: Connection, handed: Sequence[Handed], asked: Asked) -> Earlier:
    """Read the earlier uploads of the same files, oldest first, by SHA-256."""
    hashes = [each.received.digests.sha256 for each in handed]
    found: Earlier = {}
    for row in query(
        db, "queries/import/uploads_of_file.sql", sha256=hashes, provider=asked.provider,
        service_month=asked.service_month,
    ):  # fmt: skip
        found.setdefault(row["sha256"], []).append(row)
    return found


def _known(
    db: Connection, handed: Sequence[Handed], earlier: Earlier, answers: Mapping[int, Outcome], *, listing: bool
) -> dict[int, Outcome]:
    """Answer the files that were taken before and wait for nothing, and those in `answers`."""
    closed = {
        place: rows[-1]["upload_id"]
        for place, each in enumerate(handed)
        if (rows := earlier.get(each.received.digests.sha256)) and not rows[-1]["open_rows"] and place not in answers
    }
    outcomes = read(db, list(closed.values()), fresh=False, listing=listing)
    return {**answers, **{place: outcomes[upload_id] for place, upload_id in closed.items()}}


def _import(
    db: Connection, handed: Mapping[int, Handed], earlier: Earlier, user: User, asked: Asked, listing: bool,
    progress: Progress,
) -> dict[int, Outcome]:  # fmt: skip
    """Import files that are new or still have open rows. Raises _Undone for those that nothing new is said of."""
    requests = {}
    for each in handed.values():
        sha256 = each.received.digests.sha256
        key = {"sha256": sha256, "provider": asked.provider, "service_month": asked.service_month}
        requests[":".join((*key.values(), str(len(earlier.get(sha256, ())) + 1)))] = key
    with acts.several(db, "upload", requests, user.name) as opened:
        for place, act in zip(handed, opened, strict=True):
            handed[place].upload_id, handed[place].staged = act.act_id, Staged()
        stage(db, [(each.upload_id, each.read(), each.staged) for each in handed.values()], progress)
        stopped = {place: each for place, each in handed.items() if each.staged.blocked}
        if stopped:
            raise _Undone({place: _blocked_as_read(each) for place, each in stopped.items()})
        _accept(db, list(handed.values()), asked)
        originals.keep([each.received for each in handed.values()])
    outcomes = read(db, [each.upload_id for each in handed.values()], listing=listing)
    before = {
        place: rows[-1]["upload_id"]
        for place, each in handed.items()
        if (rows := earlier.get(each.received.digests.sha256))
    }
    if stale := _without_news(db, {handed[place].upload_id: upload_id for place, upload_id in before.items()}):
        told = {place: before[place] for place in before if handed[place].upload_id in stale}
        answers = read(db, list(told.values()), fresh=False, listing=listing)
        raise _Undone({place: answers[upload_id] for place, upload_id in told.items()})
    return {place: outcomes[each.upload_id] for place, each in handed.items()}


def _blocked_as_read(handed: Handed) -> Outcome:
    return blocked(handed.received.digests.sha256, handed.staged.problems, handed.format)


def _without_news(db: Connection, before: Mapping[int, int]) -> set[int]:
    """List the uploads that ended as the earlier one of the same file did. before: upload to the earlier one."""
    if not before:
        return set()
    pairs = canonical([{"upload_id": new, "before": old} for new, old in before.items()])
    return set(before) - {row["upload_id"] for row in query(db, "queries/import/news.sql", pairs=pairs)}


def _accept(db: Connection, handed: Sequence[Handed], asked: Asked) -> None:
    """Judge the staged invoices against each other and the books, and write what is accepted."""
    pack = originals.pack_for([each.received for each in handed])
    uploads = [
        {
            "upload_id": each.upload_id, "evidence": each.staged.asides.get("evidence", each.evidence),
            "sha256": each.received.digests.sha256, "sm3": each.received.digests.sm3,
            "size_bytes": each.received.size_bytes, "file_name": each.received.name, "format": each.format,
            "header": UNIT.join(each.staged.header.cells) if each.staged.header else "",
            "notes": each.staged.asides, "pack": pack if isinstance(each.received.source, bytes) else "",
        }
        for each in handed
    ]  # fmt: skip
    month = month_span(asked.service_month) if asked.service_month else None
    books.hand_in(
        db, uploads, provider=asked.provider, service_month=asked.service_month, received_on=asked.received_on,
        span=month,
    )  # fmt: skip
    staged = {each.upload_id: each.staged for each in handed}
    books.write(db, staged, books.judge(db, staged))

"""Check an audit bundle by itself: the zip, every sum, every act's bytes, both chains. Needs no database.

Whatever does not hold is a fault with its place; the first one is the first place that is wrong.
"""

import hashlib
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from reconciliation import bundle
from reconciliation.bundle import Point
from voucher import seal
from voucher.copytext import fields
from voucher.errors import Misused, Refused, cause
from voucher.seal import GENESIS, Digester, Digests

_CHUNK = 1 << 20
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not hold. place: a member of the bundle or an act; detail: one Chinese sentence."""

    place: str
    detail: str


class Damaged(Exception):
    """The bundle cannot be read any further; carries the fault."""

    def __init__(self, place: str, detail: str) -> None:
        super().__init__(place, detail)
        self.fault = Fault(place, detail)


@dataclass(frozen=True, slots=True)
class Act:
    """One act as the chain tells it. bundle: the place of its bundle among those that are checked together."""

    no: int
    kind: str
    reference: str
    actor: str
    effective_on: str
    recorded_at: str
    accepted_before: int
    accepted: int
    body: Digests
    chained: Digests
    header: str
    bundle: int = 0

    @property
    def words(self) -> str:
        """Name the act for a person."""
        return f"第{self.no}号（{self.kind} {self.reference}）"


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle that can be read. policies: ids of the policy files it holds."""

    archive: zipfile.ZipFile
    since: Point
    until: Point
    policies: Sequence[str]

    def read(self, name: str) -> bytes:
        """Read a member."""
        return self.archive.read(name)


def open_all(stack: ExitStack, paths: Sequence[Path]) -> list[Opened]:
    """Open bundles and put them in order. Raises Misused for files that are not there, Damaged, Refused for gaps."""
    found = []
    for path in paths:
        try:
            file = stack.enter_context(path.open("rb"))
        except OSError as error:
            raise Misused("no_file", f"无法读取 {path}：{cause(error)}。请核对路径。") from error
        found.append(open_bundle(stack, file, path.name))
    found.sort(key=lambda each: each.since.no)
    for before, behind in pairwise(found):
        if before.until.no != behind.since.no:
            raise Refused(
                "not_adjacent",
                f"两份审计包接不上：一份止于第{before.until.no}号，另一份从第{behind.since.no}号之后起。"
                "请把中间的各份一并列出，不要重叠。",
            )
    return found


def open_bundle(stack: ExitStack, file: BinaryIO, name: str) -> Opened:
    """Open one bundle: the wrapping is whole, and exactly the members are there that its manifest calls for."""
    if not bundle.whole(file):
        raise Damaged(_first_bad(file) or name, "压缩包的字节与末尾的摘要不符：包被改动、截短或接长过。")
    try:
        archive = stack.enter_context(zipfile.ZipFile(file))
        since, until, policies = bundle.read_manifest(archive.read(bundle.MANIFEST))
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError) as error:
        raise Damaged(bundle.MANIFEST, "不是本版本的审计包，或清单被改动过。请用出具它的版本核验。") from error
    there, called = archive.namelist(), bundle.names(since, until, policies)
    for place, (one, two) in enumerate(zip(there, called, strict=False)):
        if one != two:
            word = "多出这个文件" if two in there[place:] else f"这里应是 {two}，它不见了或换了位置"
            raise Damaged(one, f"{word}。")
    if len(there) != len(called):
        longer = there if len(there) > len(called) else called
        word = "多出这个文件。" if longer is there else "这个文件不见了。"
        raise Damaged(longer[min(len(there), len(called))], word)
    return Opened(archive, since, until, policies)


def _first_bad(file: BinaryIO) -> str:
    """Find the first member of a damaged zip that is not what its sums say; empty when none can be told.

    One that somebody packed anew has sound members by its own account: the list of sums tells which one was changed,
    added or is missing.
    """
    try:
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            if bad := archive.testzip():
                return bad
            listed = {name: digest for name, digest in _listed(archive.read(bundle.SUMS), "  ") if name}
            for name in archive.namelist():
                with archive.open(name) as member:
                    digest = hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]
                if name not in (bundle.SUMS, bundle.SM3_SUMS) and listed.pop(name, "") != digest:
                    return name
            return min(listed, default="")
    except Exception:  # whatever a damaged zip does to its reader
        return ""


def check(found: Sequence[Opened]) -> tuple[list[Act], list[Fault]]:
    """Check all sums, bodies and the chain over the bundles in order; return the acts and every fault."""
    faults: list[Fault] = []
    acts: list[Act] = []
    for number, each in enumerate(found):
        try:
            own = list(_acts(each, number))
        except ValueError as error:
            return acts, [*faults, Fault(bundle.CHAIN, f"链的这一行无法读取：{error}。")]
        sums = _sums(each)
        faults += _check_acts(each, own, sums)
        faults += _check_rest(each, own, sums)
        acts += own
    faults += _check_chain(found, acts)
    faults.sort(key=lambda fault: _order(fault.place))
    return acts, faults


def _order(place: str) -> tuple[int, str]:
    """Put faults of acts first, by their numbers."""
    return (0, place) if place.startswith("acts/") else (1, place)


def _acts(opened: Opened, number: int) -> Iterator[Act]:
    """Read the chain of one bundle. Raises ValueError with the line that cannot be read."""
    text = opened.read(bundle.CHAIN).decode("utf-8", "replace")
    lines = text.removesuffix("\n").split("\n")
    if not text.endswith("\n") or len(lines) != opened.until.no - opened.since.no:
        raise ValueError(f"共{len(lines)}行，清单说有{opened.until.no - opened.since.no}件")
    for line in lines:
        parts = line.split("|")
        if len(parts) != 12 or not _TIME.fullmatch(parts[5]):
            raise ValueError(line[:80])
        head = line.rsplit("|", 2)[0]
        yield Act(
            int(parts[0]), parts[1], parts[2], parts[3], parts[4], parts[5], int(parts[6]), int(parts[7]),
            Digests(parts[8], parts[9]), Digests(parts[10], parts[11]), head, number,
        )  # fmt: skip


def _sums(opened: Opened) -> dict[str, Digests]:
    """Read both lists of sums; what is not written as it must be is left out and so found missing."""
    sha256 = dict(_listed(opened.read(bundle.SUMS), "  "))
    sm3 = dict(_listed(opened.read(bundle.SM3_SUMS), " *"))
    return {name: Digests(digest, sm3.get(name, "")) for name, digest in sha256.items()}


def _listed(data: bytes, between: str) -> Iterator[tuple[str, str]]:
    for line in data.decode("utf-8", "replace").removesuffix("\n").split("\n"):
        digest, _, name = line.partition(between)
        yield name, digest


def _digest(opened: Opened, name: str) -> tuple[Digests, bytes]:
    """Digest a member; return its first bytes as well."""
    digester, first = Digester(), b""
    with opened.archive.open(name) as member:
        while chunk := member.read(_CHUNK):
            first = first or chunk
            digester.update(chunk)
    return digester.digests(), first


def _check_acts(opened: Opened, acts: Sequence[Act], sums: dict[str, Digests]) -> Iterator[Fault]:
    """Hold each act's bytes against the chain and the sums, and its own row against the chain."""
    for act, no in zip(acts, range(opened.since.no + 1, opened.until.no + 1), strict=True):
        name = bundle.act_name(no)
        try:
            digests, first = _digest(opened, name)
        except zipfile.BadZipFile:
            yield Fault(name, "原文读不出来：字节被改动。")
            continue
        if act.no != no:
            yield Fault(name, f"链上这一行的账本号是{act.no}，应是{no}：有行缺失、增加或换了位置。")
        elif digests != act.body:
            yield Fault(name, f"{act.words}的原文与封存摘要不符：有内容被改动、增加或删除。")
        elif not _own_row(act, first):
            yield Fault(name, f"{act.words}的原文与链上所记的种类、编号、办理人或业务日不符。")
        elif sums.get(name) != digests:
            yield Fault(name, f"{act.words}的原文与 {bundle.SUMS} 或 {bundle.SM3_SUMS} 所列不符。")


def _own_row(act: Act, first: bytes) -> bool:
    """Tell whether the body begins with the act's own row, as the chain has it."""
    lines = first.split(b"\n", 2)
    if len(lines) < 3 or lines[0] != b"@act":
        return False
    return fields(lines[1].decode("utf-8", "replace"))[1:5] == [
        act.kind, act.reference, act.actor, act.effective_on,
    ]  # fmt: skip


def _check_rest(opened: Opened, acts: Sequence[Act], sums: dict[str, Digests]) -> Iterator[Fault]:
    """Hold the other members against the sums, and the sums against the members."""
    called = [name for name in opened.archive.namelist() if name not in (bundle.SUMS, bundle.SM3_SUMS)]
    for name in called:
        if name.startswith("acts/"):
            continue
        try:
            if sums.get(name) != _digest(opened, name)[0]:
                yield Fault(name, f"与 {bundle.SUMS} 或 {bundle.SM3_SUMS} 所列不符。")
        except zipfile.BadZipFile:
            yield Fault(name, "读不出来：字节被改动。")
    written = "".join(f"{sums[name].sha256}  {name}\n" for name in called if name in sums)
    if written.encode() != opened.read(bundle.SUMS):
        yield Fault(bundle.SUMS, "所列文件有缺失、多余或换了次序。")
    written = "".join(f"{sums[name].sm3} *{name}\n" for name in called if name in sums)
    if written.encode() != opened.read(bundle.SM3_SUMS):
        yield Fault(bundle.SM3_SUMS, "所列文件有缺失、多余或换了次序。")
    if acts and opened.until != Point(acts[-1].no, acts[-1].chained.sha256, acts[-1].chained.sm3):
        yield Fault(bundle.MANIFEST, "清单所记的末号与链不符。")


def _check_chain(found: Sequence[Opened], acts: Sequence[Act]) -> Iterator[Fault]:
    """Follow both chains over all bundles; numbers, times and acceptance counts go on without a gap.

    After a fault the chain goes on from what is written: one wrong act is one fault.
    """
    if found[0].since.no == 0 and (found[0].since.sha256, found[0].since.sm3) != (GENESIS, GENESIS):
        yield Fault(bundle.MANIFEST, "第1号之前的链摘要须是 64 个 0。")
    last, time, accepted = Digests(found[0].since.sha256, found[0].since.sm3), "", None
    begins = {each.since.no + 1: each.since for each in found}
    for act in acts:
        name = bundle.act_name(act.no)
        start = begins.get(act.no)
        if start is not None and Digests(start.sha256, start.sm3) != last:
            yield Fault(name, f"这份审计包不是接着上一份的末号摘要（第{act.no - 1}号）来的。")
        if seal.chain(last, act.header) != act.chained:
            yield Fault(name, f"{act.words}的链摘要与上一号接不上：链被改动，或有办理缺失、增加、换了次序。")
        elif act.recorded_at < time:
            yield Fault(name, f"{act.words}的记录时间早于上一号。")
        elif accepted is not None and act.accepted_before != accepted:
            yield Fault(name, f"{act.words}之前的受理数是{act.accepted_before}，应是{accepted}。")
        last, time, accepted = act.chained, act.recorded_at, act.accepted_before + act.accepted


def find_digest(acts: Sequence[Act], digest: str) -> Act | None:
    """Find the act after which the chain has a digest, by either of its two. Raises Misused for what is none."""
    if not re.fullmatch(r"[0-9a-fA-F]{16,64}", digest):
        raise Misused("bad_digest", "链摘要是 64 位十六进制数，至少要写前 16 位。请照报表上的“链摘要”填写。")
    wanted = digest.lower()
    return next(
        (act for act in acts if act.chained.sha256.startswith(wanted) or act.chained.sm3.startswith(wanted)), None
    )

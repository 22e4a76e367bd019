"""Verify audit bundles from their bytes to every fen, with no database and no trust in who made them."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from reconciliation import bundle, bundle_books, bundle_check, bundle_rows
from reconciliation.bundle import Point
from reconciliation.bundle_books import Progress
from reconciliation.bundle_check import Act, Damaged, Fault, Opened

_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. faults: the first one is the first place that is wrong; none means that all holds.

    since, until: from where to where the bundles go, None when they cannot be read. derived: how much was
    computed anew, empty when the bundles do not begin with the first act. expected: the act with the digest asked for.
    """

    faults: Sequence[Fault]
    since: Point | None = None
    until: Point | None = None
    derived: dict[str, int] = field(default_factory=dict)
    expected: int | None = None


def verify(paths: Sequence[Path], expect: str | None = None, progress: Progress = lambda _: None) -> Verdict:
    """Verify one bundle, or several that follow each other.

    expect: a chain digest from a report; the bundles must hold it. Raises Misused, Refused.
    """
    with ExitStack() as stack:
        try:
            found = bundle_check.open_all(stack, paths)
            return _verify(stack, found, expect, progress)
        except Damaged as damage:
            return Verdict([damage.fault])


def _verify(stack: ExitStack, found: Sequence[Opened], expect: str | None, progress: Progress) -> Verdict:
    since, until = found[0].since, found[-1].until
    progress("逐号核对原文与摘要链")
    acts, faults = bundle_check.check(found)
    expected = None
    if expect is not None:
        expected = _expected(since, acts, expect)
        if expected is None:
            faults.append(Fault(bundle.CHAIN, f"链上没有摘要 {expect}：这不是印出该摘要的那本账，或包被重做、截短过。"))
    if not faults and since.no:
        faults = list(bundle_books.check_policies(found, bundle_rows.policies(found, acts)))
    if faults or since.no:
        return Verdict(faults[:_KEPT], since, until, {}, expected)
    progress("读取各号原文")
    rows = bundle_rows.read(stack, found, acts)
    try:
        for fault in islice(bundle_books.check(found, rows, progress), _KEPT):
            faults.append(fault)
    except (AssertionError, *bundle_rows.NOT_OURS) as error:
        # the bytes are what was sealed: whoever sealed them was not the program
        faults.append(Fault(bundle.CHAIN, f"原文里有本程序写不出的内容，重算不下去（{error!r:.80}）：链被重做过。"))
    return Verdict(faults, since, until, bundle_books.sizes(rows, acts), expected)


def _expected(since: Point, acts: Sequence[Act], digest: str) -> int | None:
    """Return the seal number after which the chain has a digest, the place where the bundles begin included."""
    act = bundle_check.find_digest(acts, digest)
    if act is not None:
        return act.no
    return since.no if since.no and digest.lower() in (since.sha256, since.sm3) else None

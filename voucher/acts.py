"""The act: whatever changes anything is one numbered, sealed act by a named person."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from voucher import seal
from voucher.database import one, query
from voucher.days import ZONE, business_day, parse_day
from voucher.errors import Misused, Refused

NOW = 2**63 - 1
"""A cutoff that no act is after: whatever is on record."""


@dataclass(slots=True)
class Act:
    """An open act. act_id: what its fact rows carry. no: its seal number, 0 until it is sealed."""

    act_id: int
    no: int = 0


class AlreadyDone(Exception):
    """The same act (kind, reference, body) was sealed before; act_id is the first one's."""

    def __init__(self, act_id: int) -> None:
        super().__init__(act_id)
        self.act_id = act_id


class Overtaken(Exception):
    """One of several acts was done before, perhaps by another transaction meanwhile: look again."""


def canonical(value: object) -> str:
    """Write a JSON-able value in one way only: sorted keys, no blanks, UTF-8 as is."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(value: object) -> str:
    """Digest a JSON-able value (SHA-256 of its canonical form, hex)."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


@contextmanager
def act(db: Connection, kind: str, reference: str, actor: str, request: object) -> Iterator[Act]:
    """Open an act, let the caller write its facts, then seal it.

    kind and reference are unique for ever; request is what was asked (JSON-able), for idempotency.
    Raises AlreadyDone when the same was done before, Refused when the reference was used for something else.
    """
    opened = _open(db, kind, {reference: request}, actor)
    if not opened:
        first = one(db, "queries/act/find.sql", kind=kind, reference=reference)
        assert first is not None
        if first["request_sha256"] == digest(request):
            raise AlreadyDone(int(first["act_id"]))
        raise Refused(
            "reference_conflict",
            f"编号“{reference}”已用于另一项内容不同的操作（第{first['no']}号）。请核对，或换一个编号。",
        )
    yield opened[0]
    (opened[0].no,) = seal.close(db, [opened[0].act_id])


@contextmanager
def several(db: Connection, kind: str, requests: Mapping[str, object], actor: str) -> Iterator[list[Act]]:
    """Open several acts of one kind, let the caller write their facts, then seal them one after another.

    requests: reference to what was asked, in the order of the acts. Raises Overtaken when one was done before.
    """
    opened = _open(db, kind, requests, actor)
    if len(opened) < len(requests):
        raise Overtaken
    yield opened
    for act, no in zip(opened, seal.close(db, [each.act_id for each in opened]), strict=True):
        act.no = no


def _open(db: Connection, kind: str, requests: Mapping[str, object], actor: str) -> list[Act]:
    """Insert acts, each unless its reference is taken; in the order of the requests."""
    asked = [
        {"place": place, "reference": reference, "request_sha256": digest(request)}
        for place, (reference, request) in enumerate(requests.items())
    ]
    rows = query(
        db, "queries/act/open.sql", kind=kind, actor=actor, effective_on=business_day(), asked=json.dumps(asked)
    )
    return [Act(act_id) for act_id in sorted(row["act_id"] for row in rows)]


def last(db: Connection) -> dict[str, Any]:
    """Return the last seal (no, recorded_at, chain_sha256, chain_sm3). Raises Refused on an empty ledger."""
    row = one(db, "queries/act/last.sql", moment=None)
    if row is None:
        raise Refused("not_initialised", "账本尚未建立。请先运行 cvl init。")
    return dict(row)


def cutoff(db: Connection, as_of: str | None = None) -> int:
    """Return the seal number that a moment means: the last seal recorded by then, now when None.

    as_of: a day (the end of it in Shanghai) or an ISO time; 0 when nothing was recorded by then.
    Raises Misused for anything else.
    """
    if as_of is None:
        return int(last(db)["no"])
    try:
        if any(mark in as_of for mark in "T :"):
            moment = datetime.fromisoformat(as_of)
        else:
            moment = datetime.combine(parse_day(as_of) + timedelta(days=1), time(), ZONE) - timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise Misused("bad_time", f"时间“{as_of}”无法识别。请写成 2026-08-31 或 2026-08-31T12:00:00。") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZONE)
    row = one(db, "queries/act/last.sql", moment=moment)
    return int(row["no"]) if row else 0


def cutoff_then(db: Connection, as_of: str | None) -> int | None:
    """Return the seal number of an earlier moment as `cutoff` does, None for now, with what is no act yet."""
    return None if as_of is None else cutoff(db, as_of)

"""The seal: each act's body is digested, and the digests are chained, so that no fact can change unseen.

Body: table by table in the order of ``voucher.sealed``, a line ``@table`` and then the rows as COPY text
with the delimiter ``|`` (dates ISO, spans ``[first,after-last)``, times in UTC).
Header: ``no|kind|reference|actor|effective_on|recorded_at|accepted_before|accepted|body_sha256|body_sm3``.
Chain digest: over the previous chain digest in hex, a line feed, the header and a line feed.
SHA-256 and SM3 (GB/T 32905) stand side by side, each with a chain of its own.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from sqlalchemy import Connection

from voucher.database import driver, query, run_file
from voucher.sealed import ASKED, SEALED

GENESIS = "0" * 64
"""What stands for the chain digest before the first act."""
_DATES = "SET LOCAL datestyle = 'ISO, YMD'"
"""Dates in the sealed bytes are 2026-08-01, and spans [2026-08-01,2026-09-01), whatever the session had."""
_CHUNK = 1 << 20
_LINES = 5_000


class _Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class _Sm3:
    """SM3 from `cryptography`, for systems whose OpenSSL hides it from hashlib."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives import hashes  # only where it is needed: it is slow to load

        self._hash = hashes.Hash(hashes.SM3())

    def update(self, data: bytes, /) -> None:
        self._hash.update(data)

    def hexdigest(self) -> str:
        return self._hash.finalize().hex()


def new_sm3() -> "hashlib._Hash | _Sm3":
    """Make an SM3 hasher with ``update`` and ``hexdigest``."""
    try:
        return hashlib.new("sm3")
    except ValueError:
        return _Sm3()


@dataclass(frozen=True, slots=True)
class Digests:
    """Two digests of the same bytes, in lower-case hex."""

    sha256: str
    sm3: str


class Digester:
    """Feed bytes, get both digests. Large chunks are hashed on two threads (both hashes release the GIL)."""

    def __init__(self) -> None:
        self._sha256, self._sm3 = hashlib.sha256(), new_sm3()
        self._pending: list[bytes] = []
        self._size = 0
        self._pool: ThreadPoolExecutor | None = None
        self._running: list[object] = []

    def update(self, data: bytes) -> None:
        """Add bytes."""
        self._pending.append(data)
        self._size += len(data)
        if self._size >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(2)
        chunk = b"".join(self._pending)
        self._pending, self._size = [], 0
        self._wait()
        self._running = [
            self._pool.submit(self._sha256.update, chunk),
            self._pool.submit(self._sm3.update, chunk),
        ]

    def _wait(self) -> None:
        for future in self._running:
            future.result()  # type: ignore[attr-defined]

    def digests(self) -> Digests:
        """Return both digests; nothing may be added afterwards."""
        self._wait()
        if self._pool is not None:
            self._pool.shutdown()
        rest = b"".join(self._pending)
        self._sha256.update(rest)
        self._sm3.update(rest)
        return Digests(self._sha256.hexdigest(), self._sm3.hexdigest())


NOTHING = Digester().digests()
"""The digests of an act without a row."""


def _copied(db: Connection, statement: str) -> Iterator[memoryview]:
    """Yield the lines of a COPY … TO STDOUT, one by one as the protocol brings them.

    libpq is asked directly: the driver's own loop costs several times as much per line, and here are millions.
    """
    server = driver(db).pgconn
    result = server.exec_(statement.encode())
    if result.status == ExecStatus.COPY_OUT:
        while (read := server.get_copy_data(0))[0] > 0:
            yield read[1]
        result = server.get_result() or result
        while (more := server.get_result()) is not None:
            result = more
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result)


def _joined(lines: Iterator[memoryview], first: bytes) -> Iterator[bytes]:
    """Yield lines in pieces, the first one after what stands before it; without a line, nothing.

    Each line is copied and let go at once: to keep thousands of the driver's small buffers costs three times as much.
    """
    piece = bytearray(first)
    for line in lines:
        piece += line
        if len(piece) >= _CHUNK:
            yield bytes(piece)
            piece.clear()
            first = b""
    if len(piece) > len(first):
        yield bytes(piece)


def body(db: Connection, act_id: int) -> Iterator[bytes]:
    """Yield the exact bytes of an act's body, in pieces."""
    with driver(db).cursor() as cursor:
        cursor.execute(_DATES)
        written = {name for (name,) in cursor.execute(ASKED, {"act_id": act_id}).fetchall()}
    for sealed in SEALED:
        if sealed.table in written:
            copied = _copied(db, sealed.copy.format(act_id=int(act_id)))
            yield from _joined(copied, f"@{sealed.table}\n".encode())


def digest_body(db: Connection, act_id: int) -> Digests:
    """Digest an act's body as it stands in the database now."""
    digester = Digester()
    for piece in body(db, act_id):
        digester.update(piece)
    return digester.digests()


def digest_range(db: Connection, first: int, last: int) -> dict[int, Digests]:
    """Digest the bodies of all acts with ids from first to last as they stand now, with one COPY per table.

    For many acts that are not very big; each act's bytes are those of `body`. Acts without a row are left out.
    """
    hashers: dict[int, tuple[_Hasher, _Hasher]] = {}
    for act, data in _pieces(db, first, last):
        if act not in hashers:
            hashers[act] = hashlib.sha256(), new_sm3()
        for hasher in hashers[act]:
            hasher.update(data)
    return {act: Digests(a.hexdigest(), b.hexdigest()) for act, (a, b) in hashers.items()}


def bodies(db: Connection, first: int, last: int) -> dict[int, bytes]:
    """Read the bodies of all acts with ids from first to last, with one COPY per table; for acts that are not big."""
    pieces: dict[int, list[bytes]] = {}
    for act, data in _pieces(db, first, last):
        pieces.setdefault(act, []).append(data)
    return {act: b"".join(parts) for act, parts in pieces.items()}


def _pieces(db: Connection, first: int, last: int) -> Iterator[tuple[int, bytes]]:
    """Yield the bodies of a range of acts, table by table, each act's pieces in their order."""
    db.exec_driver_sql(_DATES)
    for sealed in SEALED:
        mark = f"@{sealed.table}\n".encode()
        act, lines = b"", [mark]
        for data in _copied(db, sealed.copy_range.format(first=int(first), last=int(last))):
            owner, _, line = bytes(data).partition(b"|")
            if owner != act or len(lines) >= _LINES:
                if act:
                    yield int(act), b"".join(lines)
                act, lines = owner, [] if owner == act else [mark]
            lines.append(line)
        if act:
            yield int(act), b"".join(lines)


def chain(previous: Digests, header: str) -> Digests:
    """Chain one header line onto the chain digests before it."""
    sm3 = new_sm3()
    sm3.update(f"{previous.sm3}\n{header}\n".encode())
    sha256 = hashlib.sha256(f"{previous.sha256}\n{header}\n".encode())
    return Digests(sha256.hexdigest(), sm3.hexdigest())


def stamp(moment: datetime) -> str:
    """Write a moment as the seal does: UTC with microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def header(
    no: int, kind: str, reference: str, actor: str, effective_on: str, recorded_at: datetime,
    accepted_before: int, accepted: int, body_digests: Digests,
) -> str:  # fmt: skip
    """Write the header line of an act, the input of its chain digest."""
    return (
        f"{no}|{kind}|{reference}|{actor}|{effective_on}|{stamp(recorded_at)}"
        f"|{accepted_before}|{accepted}|{body_digests.sha256}|{body_digests.sm3}"
    )


def close(db: Connection, act_ids: Sequence[int]) -> list[int]:
    """Seal acts in the order of their ids: the last thing their transaction does. Returns their seal numbers.

    The bodies are digested first; only then is the one lock taken, under which numbers, time and chain are fixed.
    Raises Busy (through the transaction) when the lock is not had in time.
    """
    if len(act_ids) == 1:
        bodies_of = {act_ids[0]: digest_body(db, act_ids[0])}
    else:
        bodies_of = digest_range(db, min(act_ids), max(act_ids))
    run_file(db, "queries/act/lock_seal.sql")
    rows = query(db, "queries/act/last_seal.sql", act_ids=list(act_ids))
    no, moment, before = rows[0]["last_no"], rows[0]["recorded_at"], rows[0]["accepted_before"]
    chained = Digests(rows[0]["chain_sha256"] or GENESIS, rows[0]["chain_sm3"] or GENESIS)
    seals = []
    for row in rows:
        no += 1
        digests = bodies_of.get(row["act_id"], NOTHING)
        effective_on = row["effective_on"].isoformat()
        line = header(
            no, row["kind"], row["reference"], row["actor"], effective_on, moment, before, row["accepted"], digests
        )
        chained = chain(chained, line)
        seals.append(
            {
                "no": no, "act_id": row["act_id"], "recorded_at": moment.isoformat(), "accepted_before": before,
                "accepted": row["accepted"], "body_sha256": digests.sha256, "body_sm3": digests.sm3,
                "chain_sha256": chained.sha256, "chain_sm3": chained.sm3,
            }
        )  # fmt: skip
        before += row["accepted"]
    run_file(db, "queries/act/seal.sql", seals=json.dumps(seals))
    return [seal["no"] for seal in seals]

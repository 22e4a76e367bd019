"""Export the audit bundle: every act's sealed bytes up to a cutoff, read set-wise and written one by one."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import Connection

from reconciliation import bundle
from reconciliation.bundle import Archive, Point
from voucher import acts, ledger, seal
from voucher.database import Row, one, query
from voucher.errors import Broken, Refused
from voucher.seal import GENESIS, Digests

_MANY, _ROWS, _BIG = 10_000, 50_000, 50_000
"""Seals read at once; rows of acts held in memory at once; rows from which on an act goes by way of a file."""
START = Point(0, GENESIS, GENESIS)


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. sha256: of the file. wrong: the first act whose bytes are not those that were sealed."""

    since: Point
    until: Point
    sha256: str
    wrong: int | None


def point(db: Connection, no: int) -> Point:
    """Return a place in the chain by its seal number. Raises Refused when there is none."""
    row = one(db, "queries/reconcile/seal.sql", no=no)
    if row is None:
        raise Refused("no_cutoff", f"账上没有第{no}号。请核对号码，末号见 cvl balance。")
    return Point(no, row["chain_sha256"], row["chain_sm3"])


def since(db: Connection, digest: str) -> Point:
    """Find the place in the chain that a chain digest (SHA-256 or SM3, hex) names. Raises Refused."""
    row = one(db, "queries/reconcile/digest.sql", digest=digest.lower())
    if row is None:
        raise Refused("no_digest", "账上没有这个链摘要。请照上一份审计包核验结果里的末号链摘要填写 64 位。")
    return Point(row["no"], row["chain_sha256"], row["chain_sm3"])


def export(db: Connection, file: BinaryIO, start: Point, cutoff: int) -> Exported:
    """Write the bundle of all acts after a place up to a cutoff. Only reads; memory is bounded.

    The same place and cutoff give the same bytes. What was tampered with is exported as it stands.
    Raises Refused when nothing lies between.
    """
    until = point(db, cutoff)
    if until.no <= start.no:
        raise Refused("nothing_new", f"第{start.no}号之后还没有新的办理，不必导出。")
    chain: list[str] = []
    wrong = None
    with Archive(file) as archive:
        archive.add(bundle.PAGE, bundle.page(start))
        for row, body in _bodies(db, start.no, cutoff):
            digests = archive.add(bundle.act_name(row["no"]), body)
            sealed = Digests(row["body_sha256"], row["body_sm3"])
            if wrong is None and digests != sealed:
                wrong = row["no"]
            chain.append(f"{_header(row, sealed)}|{row['chain_sha256']}|{row['chain_sm3']}\n")
        archive.add(bundle.CHAIN, "".join(chain).encode())
        archive.add(bundle.BALANCES, _balances(db, cutoff))
        policies = query(db, "queries/reconcile/policies.sql", after_no=start.no, cutoff=cutoff)
        for policy in policies:
            archive.add(bundle.policy_name(policy["policy_id"]), policy["body"].encode())
        archive.add(bundle.MANIFEST, bundle.manifest(start, until, [policy["policy_id"] for policy in policies]))
        return Exported(start, until, archive.close(), wrong)


def _header(row: Row, digests: Digests) -> str:
    if row["kind"] is None:
        raise Broken("act_missing", f"第{row['no']}号的办理记录已被删除，无法导出。请保留现场，并联系系统管理员。")
    return seal.header(
        row["no"], row["kind"], row["reference"], row["actor"], row["effective_on"].isoformat(), row["recorded_at"],
        row["accepted_before"], row["accepted"], digests,
    )  # fmt: skip


def _balances(db: Connection, cutoff: int) -> bytes:
    """Write every account that has moved and its balance, as the bundle's witness of the books."""
    return "".join(f"{row['account']}|{row['balance_fen']}\n" for row in ledger.balances(db, cutoff)).encode()


def _bodies(db: Connection, after: int, cutoff: int) -> Iterator[tuple[Row, bytes | BinaryIO]]:
    """Yield each seal and its act's bytes in order: many small acts with one COPY per table, a big one by itself."""
    while rows := query(db, "queries/reconcile/seals.sql", after_no=after, many=_MANY):
        for group in _groups([row for row in rows if row["no"] <= cutoff]):
            if group[0]["rows"] > _BIG:
                yield from _big(db, group[0])
                continue
            ids = [row["act_id"] for row in group]
            found = seal.bodies(db, min(ids), max(ids))
            for row in group:
                yield row, found.get(row["act_id"], b"")
        after = rows[-1]["no"]
        if after >= cutoff:
            return


def _groups(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Group seals in order so that each group is one big act or many small ones."""
    group: list[Row] = []
    held = 0
    for row in rows:
        big = row["rows"] > _BIG
        if group and (big or held + row["rows"] > _ROWS):
            yield group
            group, held = [], 0
        group.append(row)
        held += row["rows"] + 1
        if big:
            yield group
            group, held = [], 0
    if group:
        yield group


def _big(db: Connection, row: Row) -> Iterator[tuple[Row, BinaryIO]]:
    with tempfile.TemporaryFile() as file:
        for piece in seal.body(db, row["act_id"]):
            file.write(piece)
        yield row, file


def record(db: Connection, actor: str, start: Point, until: Point, sha256: str, what: str = "bundle") -> None:
    """Record an export as an act; the same export again by the same person is the same act."""
    request = {"what": what, "since": start.no, "until": until.no, "sha256": sha256, "by": actor}
    reference = f"{what}:{start.no}-{until.no}:{sha256[:16]}:{actor}"
    with suppress(acts.AlreadyDone), acts.act(db, "audit_export", reference, actor, request):
        pass

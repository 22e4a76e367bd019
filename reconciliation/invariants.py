"""Checks of the books and of the seal: what must hold, and the first act from which on it does not."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import DataError
from sqlalchemy import Connection, Engine

import sql
from reconciliation.bank import USUAL, Within
from voucher import seal
from voucher.database import Row, expect_many, query, run
from voucher.seal import Digests

SEAL = "seal"
"""The check that is Python: every act's bytes are digested anew."""
_SEAL_TITLE = "封存摘要逐号相符"
_UNREADABLE = "有记录被绕过程序改动，内容无法读取，这一项没有查完。请看封存摘要一项指出的账本号。"
_KEPT = 1_000
_BATCH, _BIG, _ROWS, _MANY = 10_000, 200_000, 500_000, 10_000


@dataclass(frozen=True, slots=True)
class Failure:
    """What does not hold. check: its file's name; title: Chinese; act_no: seal number of the act concerned, if known.

    subject: what it is about (an account, an invoice, a file); detail: one Chinese sentence with the figures.
    """

    check: str
    title: str
    act_no: int | None
    subject: str
    detail: str


def check_all(db: Connection, within: Within = USUAL) -> list[Failure]:
    """Run every check of sql/checks and the seal check; an empty list means that all agree.

    within: how late and how far off the bank may book a payment. Only reads; the auditor's role is enough.
    """
    return [*check_seal(db), *check_books(db, within)]


def check_at_once(engine: Engine, within: Within = USUAL) -> list[Failure]:
    """Run every check as `check_all` does, the seal check beside the others on a connection of its own.

    One digests bytes here, the others work in the database: on two cores that takes half the time. Each check is a
    statement of its own and sees what was committed when it began.
    """
    with ThreadPoolExecutor(1) as beside:
        sealed = beside.submit(run, engine, check_seal, "cvl_auditor")
        books = run(engine, lambda db: check_books(db, within), "cvl_auditor")
        return [*sealed.result(), *books]


def first_wrong(failures: Sequence[Failure]) -> int | None:
    """Return the seal number of the first act that is wrong, None when no failure names one.

    The seal is the better witness: a check may name the act whose figures no longer agree with a changed one.
    """
    sealed = [f.act_no for f in failures if f.check == SEAL and f.act_no is not None]
    return min(sealed or [f.act_no for f in failures if f.act_no is not None], default=None)


def titles() -> dict[str, str]:
    """List all checks: name to Chinese title, in the order in which they run."""
    return {SEAL: _SEAL_TITLE} | {_name(path): title(path) for path in sql.names("checks")}


def check_books(db: Connection, within: Within = USUAL) -> list[Failure]:
    """Run the checks that are SQL files, in the order of their names."""
    expect_many(db)
    return [failure for path in sql.names("checks") for failure in check_one(db, path, within)]


def check_one(db: Connection, path: str, within: Within = USUAL) -> list[Failure]:
    """Run one check, e.g. ``checks/balances.sql``. Of very many failures the first ones are listed.

    What was changed past the program may be nothing that a check can read: that is a failure, and the others go on.
    """
    name, told = _name(path), title(path)
    try:
        with db.begin_nested():
            rows = query(db, path, **asdict(within))
    except DataError:
        return [Failure(name, told, None, "", _UNREADABLE)]
    failures = [Failure(name, told, r["act_no"], r["subject"], r["detail"]) for r in rows[:_KEPT]]
    if len(rows) > _KEPT:
        failures.append(Failure(name, told, None, "", f"共{len(rows)}处，以上仅列前{_KEPT}处。"))
    return failures


def _name(path: str) -> str:
    return path.removeprefix("checks/").removesuffix(".sql")


def title(path: str) -> str:
    """Read the Chinese title of a check or a red flag from its header."""
    marked = [line for line in sql.read(path).split("\n") if line.startswith("-- title:")]
    assert marked, f"{path} has no title"
    return marked[0].removeprefix("-- title:").strip()


def check_seal(db: Connection) -> list[Failure]:
    """Digest every act's body anew and follow both chains from the first act on.

    Finds a changed, added or missing row of any sealed table and a changed or missing seal.
    """
    expect_many(db)
    failures: list[Failure] = []
    chains = [Digests(seal.GENESIS, seal.GENESIS)]
    expected = 1
    for batch in _batches(db):
        found = _digest_bodies(db, batch)
        for row in batch:
            faults, chains = _judge(row, expected, found.get(row["act_id"]), chains)
            failures += [
                Failure(SEAL, _SEAL_TITLE, row["no"], _subject(row), fault) for fault in faults[: _KEPT - len(failures)]
            ]
            expected = row["no"] + 1
    return failures


def _subject(row: Row) -> str:
    return f"{row['kind']} {row['reference']}" if row["kind"] else f"办理 {row['act_id']}"


def _batches(db: Connection) -> Iterator[list[Row]]:
    """Yield all seals in order, many at a time."""
    after = 0
    while batch := query(db, "queries/reconcile/seals.sql", after_no=after, many=_BATCH):
        yield batch
        after = batch[-1]["no"]


def _digest_bodies(db: Connection, batch: Sequence[Row]) -> dict[int, Digests]:
    """Digest the bodies of these acts: a big one by itself, small ones many at a time."""
    found: dict[int, Digests] = {}
    rows = {row["act_id"]: row["rows"] for row in batch}
    for acts in _ranges(batch):
        # right after a bulk load the statistics say few rows, and a nested loop over very many would follow
        many = sum(rows[act] for act in acts) > _MANY
        db.exec_driver_sql(f"SET LOCAL enable_nestloop = {'off' if many else 'on'}")
        if len(acts) == 1:
            found[acts[0]] = seal.digest_body(db, acts[0])
        else:
            found |= seal.digest_range(db, acts[0], acts[-1])
    return found


def _ranges(batch: Sequence[Row]) -> Iterator[list[int]]:
    """Group acts by id so that each group is one range of ids without a big act in it."""
    group: list[int] = []
    rows = 0
    for row in sorted(batch, key=lambda row: int(row["act_id"])):
        big = row["rows"] > _BIG
        if group and (big or rows + row["rows"] > _ROWS):
            yield group
            group, rows = [], 0
        group.append(row["act_id"])
        rows += row["rows"] + 1
        if big:
            yield group
            group, rows = [], 0
    if group:
        yield group


def _judge(
    row: Row, expected: int, found: Digests | None, chains: Sequence[Digests]
) -> tuple[list[str], list[Digests]]:
    """Hold one seal against its act's bytes and the chain; return the faults and what the next one may continue.

    After a fault the next seal may continue the digest as stored or as computed: one wrong seal is one fault.
    """
    faults = []
    if row["no"] != expected:
        faults.append(f"第{expected}号至第{row['no'] - 1}号封存缺失。")
    if row["kind"] is None:
        return [*faults, "办理记录已被删除。"], [_stored(row)]
    body = Digests(row["body_sha256"], row["body_sm3"])
    if found != body:
        faults.append("记录的内容与封存摘要不符：有记录被改动、增加或删除。")
    header = _header(row, body)
    stored = _stored(row)
    computed = [seal.chain(previous, header) for previous in chains]
    if stored in computed:
        return faults, [stored]
    faults.append("封存的编号、时间、办理人或摘要与摘要链不符：封存被改动，或与上一号衔接不上。")
    return faults, [stored, computed[-1]]


def _stored(row: Row) -> Digests:
    return Digests(row["chain_sha256"], row["chain_sm3"])


def _header(row: Row, body: Digests) -> str:
    """Write the header line as the seal must have had it."""
    values: dict[str, Any] = dict(row)
    return seal.header(
        values["no"], values["kind"], values["reference"], values["actor"], values["effective_on"].isoformat(),
        values["recorded_at"], values["accepted_before"], values["accepted"], body,
    )  # fmt: skip

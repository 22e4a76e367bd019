"""Back up the ledger with its uploaded files into one file, and restore it into an empty place.

A tar of three parts: what it is (with the last seal), pg_dump's own archive, and the uploaded files by hash. The dump
and the last seal are of one snapshot. A restored ledger proves itself: every act's digest is computed anew.
"""

import hashlib
import json
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from psycopg import Connection as Raw
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL

import sql
from importers.originals import Originals, stored
from reconciliation.bundle import Point
from voucher import acts, migrate
from voucher.database import Row, one, query, run, transaction, translated
from voucher.embedded_binaries import call, tool
from voucher.errors import Broken, Refused

FORMAT = "cvl-backup-1"
_ABOUT, _DUMP, _DOCUMENTS = "backup.json", "ledger.dump", "documents/"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Saved:
    """What a backup holds. last: the seal it ends with. missing: uploaded files that were not where they belong."""

    last: Point
    major: int
    documents: int
    missing: list[str]
    sha256: str = ""


def save(engine: Engine, file: BinaryIO) -> Saved:
    """Write a backup as of one moment; the ledger may be used meanwhile.

    Raises Unreachable when there is no pg_dump of the server's own version, Refused when it fails.
    """
    with tempfile.TemporaryFile() as dump, _snapshot(engine) as (db, seen):  # without a name: no kill leaves it there
        program = tool("pg_dump", seen["major"])
        address, secret = _address(engine.url)
        said = call(
            program, f"--dbname={address}", "--role=cvl_owner", "--schema=cvl", "--format=custom", "--no-password",
            f"--snapshot={seen['snapshot']}", secret=secret, output=dump,
        )  # fmt: skip
        if said is not None:
            raise Refused("dump_failed", f"pg_dump 没有成功：{said}。请按这句话处理后重试。")
        wanted = query(db, "queries/backup/documents.sql")
        with Originals() as originals:
            there = [row for row in wanted if originals.size(**row) is not None]
        last = Point(seen["no"], seen["chain_sha256"], seen["chain_sm3"])
        missing = sorted({row["sha256"] for row in wanted} - {row["sha256"] for row in there})
        _write(file, last, seen["major"], dump, there)
    file.seek(0)
    return Saved(last, seen["major"], len(there), missing, _digest(file))


@contextmanager
def _snapshot(engine: Engine) -> Iterator[tuple[Connection, Row]]:
    """Hold a transaction whose snapshot pg_dump can share, and the last seal in it."""
    with translated(), engine.connect().execution_options(isolation_level="REPEATABLE READ") as db:
        db.exec_driver_sql("SELECT set_config('role', 'cvl_auditor', true), set_config('search_path', 'cvl', true)")
        seen = one(db, "queries/backup/snapshot.sql")
        if seen is None:
            raise Refused("not_initialised", "账本尚未建立，没有可备份的内容。请先运行 cvl init。")
        yield db, seen


def _address(url: URL) -> tuple[str, str]:
    """Write a URL for PostgreSQL's own programs, the password apart."""
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return plain.render_as_string(hide_password=False), url.password or ""


def _write(file: BinaryIO, last: Point, major: int, dump: BinaryIO, documents: list[Row]) -> None:
    dump.seek(0)
    about = {
        "format": FORMAT, "last": {"no": last.no, "sha256": last.sha256, "sm3": last.sm3}, "postgresql": major,
        "dump_sha256": _digest(dump), "documents": len(documents),
    }  # fmt: skip
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        data = json.dumps(about, ensure_ascii=False, indent=1).encode()
        entry = tarfile.TarInfo(_ABOUT)
        entry.size = len(data)
        tar.addfile(entry, BytesIO(data))
        size = dump.tell()
        dump.seek(0)
        _add(tar, _DUMP, size, dump)
        with Originals() as originals:
            for row in documents:
                with originals.open(**row) as source:
                    _add(tar, _DOCUMENTS + row["sha256"], originals.size(**row) or 0, source)


def _add(tar: tarfile.TarFile, name: str, size: int, source: BinaryIO) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    tar.addfile(entry, source)


def _digest(file: BinaryIO) -> str:
    hasher = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        hasher.update(chunk)
    return hasher.hexdigest()


def record(db: Connection, actor: str, done: Saved) -> None:
    """Record a backup as an act: a copy of everything, account numbers too, has left the database."""
    request = {"last": done.last.no, "sha256": done.sha256, "documents": done.documents, "missing": done.missing}
    with acts.act(db, "backup", f"{done.last.no}:{done.sha256[:32]}", actor, request):
        pass


def restore(engine: Engine, path: Path) -> Saved:
    """Restore a backup into a database without a ledger; the uploaded files go under CVL_HOME.

    All of the database or nothing. Raises Refused for a place that is taken or a file that is no backup, Broken when
    the restored chain does not end where the backup's does.
    """
    with engine.connect() as db:
        place = db.execute(text(sql.read("queries/backup/place.sql"))).mappings().one()
    if place["taken"]:
        raise Refused("not_empty", "这个数据库里已有账本，不能恢复到其中。请换一个空的 CVL_HOME 或空数据库。")
    with tempfile.TemporaryDirectory(prefix="cvl-restore-") as folder, _opened(path) as tar:
        about = _about(tar)
        last = Point(about["last"]["no"], about["last"]["sha256"], about["last"]["sm3"])
        dump = Path(folder) / _DUMP
        if _take(tar, _DUMP, dump) != about["dump_sha256"]:
            raise Refused("damaged", "备份文件已损坏：数据库部分与所记摘要不符。请换一份备份。")
        documents = _restore_documents(tar)
        _load(engine, dump, place["major"])
    found = run(engine, lambda db: acts.last(db), "cvl_auditor")
    if (found["no"], found["chain_sha256"], found["chain_sm3"]) != (last.no, last.sha256, last.sm3):
        raise Broken("not_the_same", f"恢复出的账本止于第{found['no']}号，与备份所记的第{last.no}号或其摘要不符。")
    wanted = run(engine, lambda db: query(db, "queries/backup/documents.sql"), "cvl_auditor")
    with Originals() as originals:
        missing = sorted(row["sha256"] for row in wanted if originals.size(**row) is None)
    return Saved(last, place["major"], documents, missing)


def _load(engine: Engine, dump: Path, major: int) -> None:
    """Make the roles, then load the dump in one transaction."""
    with translated(), engine.connect() as db:
        raw = db.connection.driver_connection
        assert isinstance(raw, Raw)
        with raw.transaction():
            migrate.make_roles(raw)
    address, secret = _address(engine.url)
    said = call(
        tool("pg_restore", major), f"--dbname={address}", "--no-password", "--single-transaction", "--exit-on-error",
        str(dump), secret=secret,
    )  # fmt: skip
    if said is not None:
        raise Refused("restore_failed", f"pg_restore 没有成功，数据库没有改动：{said}。请按这句话处理后重试。")
    with transaction(engine, "cvl_owner") as db:
        db.exec_driver_sql("ANALYZE")


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:") as tar:
            yield tar
    except (OSError, tarfile.TarError) as error:
        raise Refused("no_backup", f"{path} 不是 cvl db backup 写出的备份，或已损坏、截短。请核对文件。") from error


def _about(tar: tarfile.TarFile) -> dict[str, Any]:
    first = tar.next()
    stream = tar.extractfile(first) if first is not None and first.name == _ABOUT and first.isreg() else None
    try:
        about: dict[str, Any] = json.loads(stream.read()) if stream else {}
    except ValueError:
        about = {}
    if about.get("format") != FORMAT:
        raise Refused("no_backup", "这不是 cvl db backup 写出的备份。请核对文件。")
    return about


def _take(tar: tarfile.TarFile, name: str, target: Path) -> str:
    """Copy the next member, which must be a file of that name; return its SHA-256."""
    entry = tar.next()
    source = tar.extractfile(entry) if entry is not None and entry.name == name and entry.isreg() else None
    if source is None:
        raise Refused("damaged", f"备份文件已损坏：缺少 {name}。请换一份备份。")
    hasher = hashlib.sha256()
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            hasher.update(chunk)
            file.write(chunk)
    return hasher.hexdigest()


def _restore_documents(tar: tarfile.TarFile) -> int:
    """Put the uploaded files where imports keep them; each is named by its digest and checked against it."""
    count = 0
    while (entry := tar.next()) is not None:
        sha256 = entry.name.removeprefix(_DOCUMENTS)
        source = tar.extractfile(entry) if entry.isreg() else None
        if source is None or len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise Refused("damaged", f"备份文件已损坏：多出 {entry.name}。请换一份备份。")
        place = stored(sha256)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = place.with_suffix(".part")
        with aside.open("wb") as file:
            hasher = hashlib.sha256()
            while chunk := source.read(_CHUNK):
                hasher.update(chunk)
                file.write(chunk)
        if hasher.hexdigest() != sha256:
            aside.unlink()
            raise Refused("damaged", f"备份文件已损坏：原件 {sha256[:16]}… 与其摘要不符。请换一份备份。")
        aside.replace(place)
        count += 1
    return count

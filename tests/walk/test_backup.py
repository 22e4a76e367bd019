"""Backup and restore: what comes back is the same ledger, byte for byte, and goes on from there."""

import os
import stat
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from importers.originals import stored
from reconciliation import backup, reports
from reconciliation.document import Report
from tests.postgres.conftest import _copy_database, _drop_database, _superuser
from tests.samples import ofd
from tests.samples.bill import Bill
from tests.samples.xml import xml
from tests.walk.conftest import Desk, line
from voucher import database, embedded_binaries
from voucher.database import run
from voucher.embedded import running
from voucher.errors import Unreachable

_NUMBERS = count(1)


@pytest.fixture
def empty(server: Path) -> Iterator[str]:
    """Give the URL of an empty database."""
    name = f"restored{os.getpid()}_{next(_NUMBERS)}"
    with running(server) as url, _superuser(server) as root:
        _copy_database(root, name, "template1")
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
        _drop_database(root, name)


def everything(desk: Desk, until: str, name: str) -> tuple[bytes, Report]:
    """Give the bundle and the monthly report as of one seal; two of the same ledger are equal."""
    bundle = desk.folder / f"{name}.zip"
    desk.data("audit", "export", "--out", bundle, "--until", until, "--as", "auditor1")
    desk.data("audit", "verify", bundle)
    with database.opened() as engine:
        report = run(
            engine, lambda db: reports.run(db, "reconciliation", "2026-07", int(until), "同一人"), "cvl_auditor"
        )
    return bundle.read_bytes(), report


def test_a_restored_ledger_is_the_same_and_goes_on(
    office: Desk, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.data("import", office.file([line("a"), line("b", "5.00")]), "--as", "maker1")
    office.settled()
    (office.folder / "包.zip").write_bytes(
        ofd.pack({f"{n}.xml": xml(Bill(number=f"2650200000009990000{n}")) for n in "12"})
    )
    office.data("import", office.folder / "包.zip", "--as", "maker1", status=3)
    file = office.folder / "备份.tar"
    saved = office.data("db", "backup", file, "--as", "admin1")
    assert (saved["documents"], saved["missing"]) == (5, [])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert office.seals() == int(saved["act_no"]) + 1
    before = everything(office, saved["act_no"], "before")

    refused = office.data("db", "restore", file, status=1)
    assert refused["error"]["code"] == "not_empty"

    monkeypatch.setenv("CVL_DATABASE_URL", empty)
    monkeypatch.setenv("CVL_HOME", str(tmp_path / "other home"))
    restored = office.data("db", "restore", file)
    assert (restored["act_no"], restored["chain_sm3"], restored["documents"]) == (
        saved["act_no"], saved["chain_sm3"], 5,
    )  # fmt: skip
    assert office.seals() == int(saved["act_no"])
    assert everything(office, saved["act_no"], "after") == before
    assert before[1].sections[0].rows
    assert office.data("reconcile")["ok"]
    taken = office.data("import", office.file([line("c", "7.00")], "九月.csv"), "--as", "maker1")
    assert taken["accepted"] == 1
    assert office.data("init")["migrations"] == []
    assert office.cvl("user", "add", "late", "--role", "auditor", "--as", "admin1").status == 0


def test_what_is_no_backup_or_damaged_leaves_the_place_empty(
    office: Desk, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = office.folder / "b.tar"
    office.data("db", "backup", file, "--as", "admin1")
    data = file.read_bytes()
    place = data.index(b"PGDMP") + 2000
    monkeypatch.setenv("CVL_DATABASE_URL", empty)
    monkeypatch.setenv("CVL_HOME", str(tmp_path / "other home"))
    for spoilt, code in (
        (b"", "no_backup"),
        (b"x" * 2000, "no_backup"),
        (data[: len(data) // 2], "no_backup"),
        (data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], "damaged"),
    ):
        bad = office.bytes(spoilt, "bad.tar")
        assert office.data("db", "restore", bad, status=1)["error"]["code"] == code
    assert office.data("db", "restore", office.folder / "none.tar", status=1)["error"]["code"] == "no_backup"
    assert office.data("db", "restore", file)["ok"]  # nothing stood in its way


def test_a_missing_uploaded_file_is_said_and_no_kill_leaves_the_dump(
    office: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(*words: Any, **named: Any) -> str | None:
        said = embedded_binaries.call(*words, **named)
        named_there.extend(path for path in tmp_path.joinpath("tmp").rglob("*"))
        return said

    named_there: list[Path] = []
    tmp_path.joinpath("tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(backup, "call", seen)
    [(sha256,)] = _documents(office, 1)
    stored(sha256).unlink()
    saved = office.data("db", "backup", office.folder / "b.tar", "--as", "admin1", status=3)
    assert (saved["missing"], named_there) == ([sha256], [])


def _documents(desk: Desk, many: int) -> list[tuple[str]]:
    with desk.engine.connect() as db:
        found = db.exec_driver_sql(f"SELECT encode(sha256, 'hex') FROM cvl.document ORDER BY 1 LIMIT {many}")
        return [(str(row[0]),) for row in found]


def test_a_server_without_its_own_pg_dump_is_said_clearly(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unreachable, match="PostgreSQL 99"):
        embedded_binaries.tool("pg_dump", 99)
    monkeypatch.setattr(embedded_binaries, "_major_of", lambda _program: 14)
    said = desk.data("db", "backup", desk.folder / "b.tar", "--as", "admin1", status=6)
    assert said["error"]["code"] == "no_pg_dump"
    assert not list(desk.folder.iterdir())


def test_only_an_admin_takes_a_copy_of_everything(desk: Desk) -> None:
    for name in ("maker1", "auditor1"):
        said = desk.data("db", "backup", desk.folder / "b.tar", "--as", name, status=1)
        assert said["error"]["code"] == "not_allowed"

"""What the embedded server refuses, and the way out that it names."""

from pathlib import Path

import pytest

from tests.postgres.embedded.programs import alive, ask, postmaster, refused, socket_folder
from voucher import embedded_binaries, embedded_server
from voucher.embedded import running
from voucher.errors import Refused, Unreachable


def test_data_of_another_major_version_are_refused_with_the_way_out(home: Path) -> None:
    version = home / "postgres/data/PG_VERSION"
    ours = int(version.read_text())
    version.write_text(f"{ours - 1}\n")
    try:
        with refused(Refused, "other_major_version") as said, running(home):
            pass
    finally:
        version.write_text(f"{ours}\n")
    assert "CVL_PG_BIN" in said[0]
    assert f"PostgreSQL {ours - 1}" in said[0]
    assert "cvl db backup" in said[0]


def test_a_start_that_fails_names_the_log_and_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_PG_OPTIONS", "-c shared_buffers=nonsense")
    with refused(Unreachable, "embedded_failed") as said, running(home):
        pass
    assert str(home / "postgres/server.log") in said[0]
    assert "nonsense" in (home / "postgres/server.log").read_text()
    assert not alive(home)


def test_an_initdb_that_fails_leaves_nothing(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "pg_ctl").touch()
    (broken / "postgres").write_text('#!/bin/sh\necho "postgres (PostgreSQL) 18.0"\n')
    (broken / "initdb").write_text('#!/bin/sh\n[ "$1" = --version ] || { echo "No space left on device"; exit 1; }\n')
    for file in broken.iterdir():
        file.chmod(0o755)
    monkeypatch.setattr(embedded_server, "usable_bin_dir", lambda folder, _account: folder)
    monkeypatch.setattr(embedded_server, "run", lambda command, **named: run_as_ourselves(command, **named))
    monkeypatch.setenv("CVL_PG_BIN", str(broken))
    with refused(Unreachable, "no_space") as said, running(fresh):
        pass
    assert "server.log" in said[0]
    assert not list((fresh / "postgres").glob("data*"))


def run_as_ourselves(command: list[str], **named: object) -> int:
    """Run a program like `run`, but never as another account."""
    return embedded_binaries.run(command, **{**named, "account": None})  # type: ignore[arg-type]


def test_missing_programs_are_named(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_PG_BIN", str(tmp_path))
    with refused(Unreachable, "no_binaries") as said, running(fresh):
        pass
    assert "initdb" in said[0]


def test_a_lost_password_is_named(home: Path) -> None:
    files = {file: file.read_text() for file in (home / "postgres").glob("password.*")}
    for file in files:
        file.unlink()
    try:
        with refused(Unreachable, "password_lost") as said, running(home):
            pass
    finally:
        for file, text in files.items():
            file.write_text(text)
            file.chmod(0o600)
    assert "password.postgres" in said[0]


def test_a_lost_password_of_the_login_is_replaced(home: Path) -> None:
    (home / "postgres/password.cvl_login").unlink()
    with running(home) as url:
        assert ask(url) == 1


def test_a_folder_with_other_things_is_not_taken_for_data(fresh: Path) -> None:
    (fresh / "postgres/data").mkdir(parents=True)
    (fresh / "postgres/data/thesis.txt").touch()
    with refused(Refused, "not_a_data_folder"), running(fresh):
        pass
    assert (fresh / "postgres/data/thesis.txt").exists()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with refused(Unreachable, "embedded_failed") as said, running(tmp_path / "file/home"):
        pass
    assert "CVL_HOME" in said[0]


def test_a_socket_folder_prepared_by_somebody_else_is_refused(home: Path, tmp_path: Path) -> None:
    sockets = home / "postgres/s"
    sockets.mkdir()
    sockets.chmod(0o755)
    with refused(Unreachable, "socket_folder_unsafe") as said, running(home):
        pass
    assert str(sockets) in said[0]
    sockets.rmdir()
    sockets.symlink_to(tmp_path)
    try:
        with refused(Unreachable, "socket_folder_unsafe"), running(home):
            pass
    finally:
        sockets.unlink()


def test_a_running_server_without_a_socket_is_reported(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_server, "SILENT_SECONDS", 0.2)
    with running(home) as url:
        (socket_folder(url) / ".s.PGSQL.5432").unlink()
        with refused(Unreachable, "socket_lost") as said, running(home):
            pass
        assert f"kill -INT {postmaster(home)}" in said[0]

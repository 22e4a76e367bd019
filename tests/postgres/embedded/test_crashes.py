"""Kills of the program and of the server at any moment: what is left opens again."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from tests.postgres.embedded.programs import (
    CHECKPOINTER,
    USE,
    alive,
    ask,
    do,
    exists,
    leave,
    postmaster,
    program,
    until,
    user,
)
from voucher import database, embedded_binaries, embedded_server, embedded_site
from voucher.embedded import bin_dir, running, superuser_url
from voucher.errors import Unreachable


def test_a_program_that_ends_in_the_middle_of_initdb_leaves_something_that_opens(fresh: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with program(fresh) as other:
            until(partial(exists, fresh / "postgres", "data.init-*/base"))
            other.send_signal(number)
    with running(fresh) as url:
        do(url, "CREATE TABLE works (n int)")
    until(lambda: not alive(fresh))  # the initdb of the killed program goes on for a moment


def test_a_program_killed_again_and_again_while_it_furnishes_leaves_something_that_opens(fresh: Path) -> None:
    after_initdb = "embedded_server.bring_up = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
    at_statement = """
import psycopg
class Connection(psycopg.Connection):
    def execute(self, query, *rest, **named):
        text = query if isinstance(query, (str, bytes)) else query.as_string(self)
        dies = isinstance(text, str) and text.startswith("{word}")
        if dies and "{when}" == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = super().execute(query, *rest, **named)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
psycopg.connect = Connection.connect
"""
    kills = [after_initdb]
    for when, word in (
        ("before", "CREATE ROLE"),
        ("after", "CREATE ROLE"),
        ("after", "CREATE DATABASE"),
        ("before", "COMMENT"),
    ):
        kills.append(at_statement.format(when=when, word=word))
    for kill in kills:
        with program(fresh, kill + USE) as other:
            assert other.wait(20) == -signal.SIGKILL
    with running(fresh) as url:
        do(url, "CREATE TABLE works (n int)")


@pytest.mark.parametrize("after", [0.05, 0.15, 0.25])
def test_a_program_killed_at_any_moment_of_a_start_leaves_something_that_opens(home: Path, after: float) -> None:
    with program(home, 'print("begins", flush=True)\n' + USE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        time.sleep(after)
        other.kill()
    with running(home) as url:
        assert ask(url) == 1


def test_a_killed_server_is_restarted_for_the_next_user_and_keeps_what_was_committed(home: Path) -> None:
    with user(home) as (other, url):
        do(url, "CREATE TABLE committed AS SELECT 8 AS n")
        os.kill(postmaster(home), signal.SIGKILL)
        with running(home) as same:
            assert same == url
            assert ask(url, "SELECT n FROM committed") == 8
        assert alive(home)  # the other one still uses it
        assert leave(other) == 0


def test_who_uses_it_for_long_gets_a_killed_server_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_HOME", str(home))
    monkeypatch.delenv("CVL_DATABASE_URL", raising=False)

    def answers() -> bool:
        with suppress(OperationalError, Unreachable), engine.connect() as db:
            return db.exec_driver_sql("SELECT 1").scalar_one() == 1
        return False

    with database.opened() as engine:
        assert answers()
        os.kill(postmaster(home), signal.SIGKILL)
        until(answers)
        os.kill(postmaster(home), signal.SIGKILL)
        with ThreadPoolExecutor(8) as pool:
            until(lambda: all(pool.map(lambda _: answers(), range(8))))
    assert not alive(home)


def test_orphans_of_a_killed_server_do_not_block_the_next_start(home: Path) -> None:
    with running(home) as url, psycopg.connect(url) as db:
        orphan = db.info.backend_pid
        os.kill(orphan, signal.SIGSTOP)  # it cannot notice that its server dies
        os.kill(postmaster(home), signal.SIGKILL)
        with running(home) as same:
            assert ask(same) == 1
            assert postmaster(home) != orphan
        with pytest.raises(psycopg.OperationalError):
            db.execute("SELECT 1")


def test_a_user_who_leaves_clears_away_orphans(home: Path) -> None:
    with running(home) as url, psycopg.connect(url) as db:
        os.kill(db.info.backend_pid, signal.SIGSTOP)
        os.kill(postmaster(home), signal.SIGKILL)
    assert not alive(home)


def test_a_server_that_hangs_while_it_stops_is_killed_and_opens_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_server, "PATIENCE_SECONDS", 0.3)
    with running(home) as url:
        do(url, "CREATE TABLE survives AS SELECT 9 AS n")
        checkpointer = ask(superuser_url(home), CHECKPOINTER)
        assert isinstance(checkpointer, int)
        os.kill(checkpointer, signal.SIGSTOP)
    assert not alive(home)
    with running(home) as url:
        assert ask(url, "SELECT n FROM survives") == 9


def test_a_server_that_hangs_after_its_user_was_killed_is_killed_and_started_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_server, "PATIENCE_SECONDS", 0.3)
    with running(home) as url:
        main, hangs = postmaster(home), ask(superuser_url(home), CHECKPOINTER)
        assert isinstance(hangs, int)
        os.kill(hangs, signal.SIGSTOP)
        os.kill(main, signal.SIGINT)
        with running(home):
            assert ask(url) == 1
            assert postmaster(home) != main


def test_a_stale_pid_of_a_living_stranger_is_no_obstacle_and_the_stranger_lives_on(home: Path) -> None:
    with running(home):
        lines = (home / "postgres/data/postmaster.pid").read_text().split("\n")
        lock = (home / "postgres/s/.s.PGSQL.5432.lock").read_text().split("\n")
    account = embedded_site.site_of(home).account
    stranger = subprocess.Popen(["sleep", "60"], user=account.uid if account else None)
    try:
        for where, text in (("data/postmaster.pid", lines), ("s/.s.PGSQL.5432.lock", lock)):
            file = home / "postgres" / where
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.write_text("\n".join([str(stranger.pid), *text[1:]]))
            if account:
                os.chown(file, account.uid, account.gid)
        with running(home) as url:
            assert ask(url) == 1
            (home / "postgres/data/postmaster.pid").write_text(f"{stranger.pid}\n")
            embedded_server.stop(embedded_site.site_of(home))
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_somebody_else_started_is_not_touched(home: Path) -> None:
    site = embedded_site.site_of(home)
    account = site.account
    fd = os.open(home / "postgres", os.O_RDONLY)
    base = f"/proc/self/fd/{fd}" if account else str(home / "postgres")
    (home / "postgres").chmod(0o711)  # as root its account walks from here
    (home / "postgres/own").mkdir()
    if account:
        os.chown(home / "postgres/own", account.uid, account.gid)
    program = embedded_binaries.usable_bin_dir(bin_dir(), account) / "postgres"
    with open(home / "log", "wb") as log:
        other = subprocess.Popen(
            [str(program), "-D", f"{base}/data", "-k", f"{base}/own", "-c", "listen_addresses="],
            stdout=log,
            stderr=log,
            pass_fds=[fd],
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
        )
    try:
        until((home / "postgres/own/.s.PGSQL.5432").exists)
        with pytest.raises(Unreachable, match="other_server"), running(home):
            pass
        assert (site.data / "postmaster.pid").exists()
        assert other.poll() is None
    finally:
        other.send_signal(signal.SIGINT)
        other.wait(20)
        os.close(fd)

"""Programs that use one embedded server at once."""

import socket
import threading
from pathlib import Path

import psycopg
import pytest

from tests.postgres.embedded.programs import USE, alive, ask, leave, line, postmaster, program, until, user
from voucher.embedded import running


def test_two_programs_share_one_server_and_the_last_one_stops_it(home: Path) -> None:
    with user(home) as (first, _), user(home) as (second, url):
        main = postmaster(home)
        with psycopg.connect(url) as db:
            assert leave(first) == 0
            assert db.execute("SELECT 1").fetchone() == (1,)
        assert postmaster(home) == main
        assert leave(second) == 0
    assert not alive(home)


def test_uses_nest_and_threads_share(home: Path) -> None:
    seen: list[int] = []

    def other() -> None:
        with running(home) as url:
            ask(url)
            seen.append(postmaster(home))

    with running(home), running(home):
        threads = [threading.Thread(target=other) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [postmaster(home)] * 4
    assert not alive(home)


def test_programs_that_start_at_once_create_one_data_folder(fresh: Path) -> None:
    code = "print('ready', flush=True)\nsys.stdin.readline()\n" + USE
    with program(fresh, code) as one, program(fresh, code) as two, program(fresh, code) as three:
        programs = (one, two, three)
        assert [line(each) for each in programs] == ["ready"] * 3
        for each in programs:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        urls = {line(each) for each in programs}
        assert len(urls) == 1
        assert ask(urls.pop()) == 1
        log = (fresh / "postgres/server.log").read_text()
        assert log.count("The files belonging to this database system") == 1
        assert log.count("ready to accept connections") == 1
        assert [leave(each) for each in programs] == [0, 0, 0]


def test_a_server_left_by_a_killed_program_is_adopted_and_then_stopped(home: Path) -> None:
    with user(home) as (other, _):
        main = postmaster(home)
        other.kill()
        other.wait()
    assert alive(home)
    with running(home) as url:
        assert ask(url) == 1
        assert postmaster(home) == main
    assert not alive(home)


def test_a_forked_child_is_a_user_like_any_other(home: Path) -> None:
    code = """
with running(home) as url:
    if os.fork() == 0:
        sys.exit(0)
    os.wait()
    if os.fork():
        sys.exit(0)
    print(url, flush=True)
    sys.stdin.read()
"""
    with program(home, code) as other:
        url = line(other)
        assert other.wait(20) == 0
        assert ask(url) == 1  # one child has gone, the parent has gone, the other child has not
        leave(other)
    until(lambda: not alive(home))


def test_a_server_without_a_free_connection_counts_as_alive(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_PG_OPTIONS", "-c fsync=off -c max_connections=6 -c max_wal_senders=0")
    with running(home) as url:
        connections = [psycopg.connect(url) for _ in range(3)]
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        with running(home) as same:
            assert same == url
        for connection in connections:
            connection.close()


def test_a_socket_that_nobody_listens_on_is_no_obstacle(home: Path) -> None:
    sockets = home / "postgres/s"
    sockets.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(sockets / ".s.PGSQL.5432"))
    with running(home) as url:
        assert ask(url) == 1

"""The embedded server, tried on real servers with real kills."""

import fcntl
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import psycopg
import pytest

from voucher import embedded_binaries, embedded_server, embedded_site
from voucher.embedded import bin_dir, home_dir, running, superuser_url
from voucher.errors import CvlError, Refused, Unreachable

REPOSITORY = Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root runs the server as another account")
CHECKPOINTER = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
USE = """
with running(home) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module", autouse=True)
def _fast() -> Iterator[None]:
    """Spare the disk: none of these tests pulls the plug."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_PG_OPTIONS", "-c fsync=off -c shared_buffers=16MB")
        yield


@contextmanager
def looked_after(home: Path) -> Iterator[Path]:
    """Lend a home to a test, which must leave no server behind."""
    yield home
    left_behind = alive(home)
    if left_behind:
        embedded_server.stop(embedded_site.site_of(home))
    assert not left_behind


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a home with a finished database."""
    home = tmp_path_factory.mktemp("finished") / "home"
    with running(home):
        pass
    yield home
    shutil.rmtree(home)


@pytest.fixture
def home(finished: Path) -> Iterator[Path]:
    """Lend the finished home, which one test after the other opens and kills; no server runs."""
    with looked_after(finished):
        yield finished


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Path]:
    """Give a home that nobody has used yet."""
    with looked_after(tmp_path / "home") as home:
        yield home
    shutil.rmtree(home, ignore_errors=True)


def alive(home: Path) -> bool:
    """Tell whether any process of the home's server lives: they hold the lock on the data folder."""
    folders = [*(home / "postgres").glob("data"), *(home / "postgres").glob("data.init-*")]
    for folder in folders:
        fd = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
    return False


def until(holds: Callable[[], object], seconds: float = 20) -> None:
    """Poll until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def exists(folder: Path, wanted: str) -> bool:
    """Tell whether the folder has something of this pattern."""
    return any(folder.glob(wanted))


def program(home: Path, code: str = USE) -> subprocess.Popen[str]:
    """Start a program that uses the home."""
    head = "import os, signal, sys\nfrom pathlib import Path\nfrom voucher import embedded_server\n"
    head += "from voucher.embedded import running\nhome = Path(sys.argv[1])\n"
    head += "signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever started the tests\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + code, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)])},
        start_new_session=True,
    )


@contextmanager
def user(home: Path, code: str = USE) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Have another program use the home; yield it and the URL it got."""
    with program(home, code) as other:
        try:
            assert other.stdout is not None
            yield other, other.stdout.readline().strip()
        finally:
            other.kill()


def line(other: subprocess.Popen[str]) -> str:
    """Read the next line of the other program."""
    assert other.stdout is not None
    return other.stdout.readline().strip()


def leave(other: subprocess.Popen[str]) -> int:
    """Let the other program end by itself; return its exit status."""
    assert other.stdin is not None
    other.stdin.close()
    return other.wait(20)


def ask(url: str, query: str = "SELECT 1") -> object:
    """Ask for one value."""
    with psycopg.connect(url, autocommit=True) as db:
        row = db.execute(query.encode()).fetchone()
    return row[0] if row else None


def do(url: str, statement: str) -> None:
    """Execute a statement."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(statement.encode())


def postmaster(home: Path) -> int:
    """Read the number of the main process."""
    return int((home / "postgres/data/postmaster.pid").read_text().split()[0])


def socket_folder(url: str) -> Path:
    """Find the socket folder in a URL."""
    found = re.search(r"host=([^&]*)", url)
    assert found
    return Path(unquote(found[1]))


# -- what one gets


def test_a_new_home_gets_a_server_whose_login_owns_nothing_and_which_is_gone_afterwards(fresh: Path) -> None:
    with running(fresh) as url:
        assert ask(url, "SELECT current_user || '@' || current_database()") == "cvl_login@cvl"
        owns = "SELECT count(*) FROM pg_shdepend WHERE refobjid = to_regrole('cvl_login') AND deptype = 'o'"
        assert ask(url, owns) == 0
        assert alive(fresh)
        assert (socket_folder(url) / ".s.PGSQL.5432").is_socket()
    assert not alive(fresh)
    assert not socket_folder(url).exists()


def test_the_data_of_one_use_are_there_in_the_next(home: Path) -> None:
    with running(home) as url:
        do(url, "CREATE TABLE kept AS SELECT 7 AS n")
    with running(home) as url:
        assert ask(url, "SELECT n FROM kept") == 7


def test_the_login_makes_roles_schemas_and_tables_but_is_no_superuser(home: Path) -> None:
    with running(home) as url, psycopg.connect(url, autocommit=True) as db:
        rights = db.execute(
            "SELECT rolsuper, rolcreatedb, rolreplication, rolbypassrls, rolcreaterole FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
        assert rights == (False, False, False, False, True)
        db.execute("CREATE ROLE some_owner NOLOGIN")
        db.execute("GRANT some_owner TO cvl_login")
        db.execute("GRANT CREATE ON DATABASE cvl TO some_owner")
        db.execute("GRANT CREATE, USAGE ON SCHEMA public TO some_owner")
        db.execute("SET ROLE some_owner")
        db.execute("CREATE SCHEMA books CREATE TABLE books.one (n int)")
        db.execute("CREATE TABLE public.two (n int)")
        db.execute("CREATE TEMP TABLE three (n int)")
        db.execute("RESET ROLE")
        db.execute("DROP OWNED BY some_owner")
        db.execute("DROP ROLE some_owner")


def test_the_cluster_is_utf8_in_c_order_with_checksums_and_only_passwords(home: Path) -> None:
    with running(home) as url:
        url = superuser_url(home)
        wanted = {
            "server_encoding": "UTF8",
            "data_checksums": "on",
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "password_encryption": "scram-sha-256",
            "TimeZone": "UTC",
            "jit": "off",
            "max_wal_size": "4GB",
        }
        assert {name: ask(url, f"SHOW {name}") for name in wanted} == wanted
        assert ask(url, "SELECT datcollate || datctype FROM pg_database WHERE datname = 'cvl'") == "CC"
        assert ask(url, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules") == "scram-sha-256"
        assert ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
        wrong = re.sub(r":[^:@/]+@", ":wrong@", url)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(wrong)


def test_without_options_the_server_syncs_and_takes_an_eighth_of_the_memory(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CVL_PG_OPTIONS")
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(embedded_site, "_MEMORY_LIMITS", (str(limit), str(tmp_path / "none")))
    sizes = {}
    for said in ("1073741824", "100000000", "1" + "0" * 18, "max"):
        limit.write_text(f"{said}\n")
        sizes[said] = embedded_site.shared_buffers()
    assert sizes["1073741824"] == "128MB"
    assert sizes["100000000"] == "64MB"
    assert sizes["max"] == sizes["1" + "0" * 18]
    limit.write_text("1073741824\n")
    with running(home):
        assert ask(superuser_url(home), "SHOW fsync") == "on"
        assert ask(superuser_url(home), "SHOW shared_buffers") == "128MB"


def test_passwords_and_sockets_are_private(home: Path) -> None:
    with running(home) as url:
        files = sorted((home / "postgres").glob("password.*"))
        assert [file.name for file in files] == ["password.cvl_login", "password.postgres"]
        assert len({file.read_text() for file in files}) == 2
        private = [*files, home / "postgres/server.log"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
        folders = [socket_folder(url), home / "postgres", home / "postgres/data"]
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


def test_the_environment_of_the_caller_changes_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as broken:
        for library in ("libz.so.1", "libm.so.6"):
            Path(broken, library).touch()
        Path(broken).chmod(0o755)
        for name, value in {
            "LD_LIBRARY_PATH": broken,
            "LC_ALL": "zh_CN.UTF-8",
            "TZ": "Asia/Shanghai",
            "PGPORT": "1",
            "PGHOST": "nowhere",
            "PGDATA": "/nowhere",
            "PGDATABASE": "nowhere",
            "TMPDIR": "/nowhere",
        }.items():
            monkeypatch.setenv(name, value)
        with running(home) as url:
            assert ask(url, "SHOW timezone") == "UTC"


@pytest.mark.parametrize("name", ['spa ce,com"ma', "算力券$HOME`x`'\\", "l" * 90])
def test_any_name_of_a_home_works(home: Path, name: str) -> None:
    other = home.parent / name
    home.rename(other)
    try:
        with running(other) as url:
            assert ask(url) == 1
            assert len(os.fsencode(socket_folder(url) / ".s.PGSQL.5432")) <= 107
        assert not alive(other)
        assert not socket_folder(url).exists()
    finally:
        other.rename(home)


# -- who keeps it alive


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


# -- signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminated_program_leaves_no_server_behind(home: Path, number: int) -> None:
    with user(home) as (other, _):
        other.send_signal(number)
        assert other.wait(20) == 128 + number
    assert not alive(home)


def test_a_program_terminated_while_the_server_starts_leaves_none_behind(home: Path) -> None:
    with program(home) as other:
        until((home / "postgres/data/postmaster.pid").exists)
        other.terminate()
        assert other.wait(20) == 143
    assert not alive(home)


def test_handlers_of_the_program_are_left_alone_and_ours_are_taken_back(home: Path) -> None:
    def theirs(_number: int, _frame: object) -> None:
        return

    term, hup = signal.signal(signal.SIGTERM, theirs), signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with running(home):
            assert signal.getsignal(signal.SIGTERM) is theirs
            assert signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, term)
        signal.signal(signal.SIGHUP, hup)


def test_ctrl_c_reaches_the_program_and_not_the_server(home: Path) -> None:
    code = """
with running(home) as url:
    try:
        print(url, flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.stdin.read()
"""
    with user(home, code) as (other, url):
        os.killpg(other.pid, signal.SIGINT)
        assert other.stdout is not None
        assert other.stdout.readline() == "interrupted\n"
        assert ask(url) == 1
        assert leave(other) == 0


def test_a_second_ctrl_c_waits_until_the_server_is_down(home: Path) -> None:
    code = """
stop = embedded_server.stop
def interrupted(site):
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    stop(site)
    print("stopped", flush=True)
embedded_server.stop = interrupted
""" + USE.replace("sys.stdin.read()", "sys.exit(0)")
    with user(home, code) as (other, _):
        assert other.stdout is not None
        assert other.stdout.readline() == "stopped\n"
        assert other.wait(20) != 0


# -- kills


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


# -- what is refused


@contextmanager
def refused(kind: type[CvlError], code: str) -> Iterator[list[str]]:
    """Expect an exception with this code and collect its sentence."""
    said: list[str] = []
    with pytest.raises(kind) as caught:
        yield said
    assert caught.value.code == code
    said.append(caught.value.message)


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


# -- the log, the home, the programs


def test_the_log_stays_small_while_the_server_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = home / "postgres/server.log"
    monkeypatch.setattr(embedded_site, "_LOG_BYTES", 100_000)
    with running(home) as url:
        with log.open("ab") as more:
            more.write(b"x" * 200_000 + b"the end\n")
        with running(home):
            assert log.stat().st_size == 0
        with pytest.raises(psycopg.errors.UndefinedTable):
            ask(url, "SELECT 'secret' FROM nowhere")
    assert b"\0" not in log.read_bytes()  # the server appends, it does not write at its old place
    assert b"secret" not in log.read_bytes()
    kept = home / "postgres/server.log.1"
    assert kept.read_bytes().endswith(b"the end\n")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_home_is_the_named_one_or_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_HOME", "/some/where")
    assert home_dir() == Path("/some/where")
    monkeypatch.setenv("CVL_HOME", "")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert home_dir() == Path("/var/lib/compute-voucher-ledger")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/x")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert home_dir() == Path("/home/x/.local/share/compute-voucher-ledger")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert home_dir() == Path("/data/compute-voucher-ledger")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert home_dir() == Path("/home/x/Library/Application Support/compute-voucher-ledger")


def test_the_programs_are_the_named_ones_or_the_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CVL_PG_BIN", raising=False)
    assert embedded_binaries.major_version(bin_dir()) == 18
    assert (bin_dir() / "pg_dump").exists()


@as_root
def test_as_root_programs_in_a_private_folder_are_copied_once_and_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CVL_PG_BIN", raising=False)
    account = embedded_binaries.account_for(tmp_path)
    package = bin_dir().parent.parent
    for folder in (package, package.with_name(f"{package.name}.libs")):
        (tmp_path / folder.name).symlink_to(folder)  # the account cannot even walk to the link
    tmp_path.chmod(0o700)
    private = tmp_path / package.name / "pginstall18/bin"
    monkeypatch.setenv("CVL_PG_BIN", str(private))
    public = Path(tempfile.mkdtemp(dir="/var/tmp"))
    public.chmod(0o755)
    monkeypatch.setattr(embedded_binaries, "COPIES", public / "copies")
    mask = os.umask(0o077)
    try:
        usable = embedded_binaries.usable_bin_dir(private, account)
        assert usable.is_relative_to(public)
        for name in ("initdb", "pg_ctl", "postgres"):
            assert embedded_binaries.run([usable / name, "--version"], account=account, output=2) == 0
        (copy,) = (public / "copies").glob("18-*")
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in copy.rglob("*/")} == {0o755}
        assert {file.stat().st_uid for file in copy.rglob("*")} == {0}
        before = usable.stat()
        assert embedded_binaries.usable_bin_dir(private, account) == usable
        assert (usable.stat().st_ino, usable.stat().st_mtime) == (before.st_ino, before.st_mtime)
    finally:
        os.umask(mask)
        shutil.rmtree(public)


@as_root
def test_as_root_reachable_programs_are_used_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = embedded_binaries.account_for(tmp_path)
    monkeypatch.setenv("CVL_PG_BIN", "/usr/lib/postgresql/15/bin")
    if not Path("/usr/lib/postgresql/15/bin/initdb").exists():
        pytest.skip("no PostgreSQL 15 on this machine")
    assert embedded_binaries.usable_bin_dir(bin_dir(), account) == bin_dir()


@as_root
def test_as_root_no_parent_of_the_home_is_changed_and_none_need_be_open(home: Path) -> None:
    modes = {parent: stat.S_IMODE(parent.stat().st_mode) for parent in home.parents}
    home.parent.chmod(0o700)
    with running(home) as url:
        assert ask(url) == 1
        assert (home / "postgres/data").stat().st_uid != 0
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    home.parent.chmod(modes[home.parent])
    assert {parent: stat.S_IMODE(parent.stat().st_mode) for parent in home.parents} == modes


@as_root
def test_as_root_data_keep_their_account_and_those_of_root_are_refused(home: Path) -> None:
    data = home / "postgres/data"
    before = data.stat()
    subprocess.run(["chown", "-R", "65534:65534", data], check=True)
    try:
        with running(home) as url:
            assert ask(url) == 1
        assert data.stat().st_uid == 65534
        os.chown(data, 0, 0)
        with refused(Refused, "data_owned_by_root") as said, running(home):
            pass
        assert "chown" in said[0]
    finally:
        subprocess.run(["chown", "-R", f"{before.st_uid}:{before.st_gid}", data], check=True)


def test_a_socket_that_nobody_listens_on_is_no_obstacle(home: Path) -> None:
    sockets = home / "postgres/s"
    sockets.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(sockets / ".s.PGSQL.5432"))
    with running(home) as url:
        assert ask(url) == 1

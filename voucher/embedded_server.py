"""The server process of the embedded database: create its data, start, ask, furnish and stop it.

Every caller holds the home's start lock, so nothing here runs twice at once.
"""

import os
import shlex
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

import psycopg
from psycopg import sql

from voucher.embedded_binaries import bin_dir, major_version, run, usable_bin_dir
from voucher.embedded_site import (
    PATIENCE_SECONDS,
    PORT,
    SILENT_SECONDS,
    START_SECONDS,
    Site,
    failed,
    log_size,
    make_private,
    opened,
    password,
    shared_buffers,
    sync,
    try_lock,
    url_of,
)
from voucher.errors import Misused, Refused, Unreachable

LOGIN, DATABASE = "cvl_login", "cvl"
_OLDEST = 15
_PROC = Path("/proc/self/fd")
_FURNISHED = "compute-voucher-ledger"
_ASK = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "cluster_name": "cvl",
    "max_connections": "100",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    # Statements and rows hold account numbers; neither belongs into a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class _State(Enum):
    """What the server says when it is asked."""

    READY = auto()
    BARE = auto()  # it answers, but our role or database is not finished
    WAIT = auto()  # it is there, starting or recovering
    STOPPING = auto()  # it is going down
    SILENT = auto()  # nobody listens


def create(site: Site) -> None:
    """Create the data folder unless there is one: aside, then moved into place at once.

    A kill in between leaves only litter, which the next one removes.
    """
    if (site.data / "PG_VERSION").exists():
        return
    if site.data.exists() and any(site.data.iterdir()):
        raise Refused(
            "not_a_data_folder",
            f"{site.data} 里有别的文件，却不是数据库；请移走它们，或用 CVL_HOME 换一个目录。",
        )
    for litter in site.folder.glob("data.init-*"):
        with opened(litter) as fd:
            if try_lock(fd):  # else the initdb of a killed program still writes there
                shutil.rmtree(litter, ignore_errors=True)
    log = log_size(site)
    aside = Path(tempfile.mkdtemp(prefix="data.init-", dir=site.folder))
    if site.account:
        os.chown(aside, site.account.uid, site.account.gid)
    try:
        with opened(aside) as held:
            try_lock(held)
            if not _initialise(site, aside, held):
                raise failed(site, "创建数据目录", log)
        aside.rename(site.data)
        sync(site.folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _initialise(site: Site, data: Path, held: int) -> bool:
    """Run initdb; tell whether it succeeded. The password goes through a pipe: no process list shows it."""
    secret = password(site, "postgres", create=True)
    reads, writes = os.pipe()
    try:
        os.write(writes, secret.encode())
        os.close(writes)
        if site.account:
            os.fchown(reads, site.account.uid, site.account.gid)
        options = ["-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=scram-sha-256"]
        options += [f"--pwfile=/dev/fd/{reads}", "--data-checksums", "--no-instructions"]
        if "fsync=off" in _more_options():
            options.append("--no-sync")  # who does without it does without it here too
        return _run(site, ["initdb", *options], data, held, [reads]) == 0
    finally:
        os.close(reads)


def check_version(site: Site) -> None:
    """Refuse programs that are too old, and a data folder that another major version has written."""
    programs = bin_dir()
    ours, written = major_version(programs), site.data / "PG_VERSION"
    if ours < _OLDEST:
        raise Refused(
            "postgres_too_old",
            f"{programs} 是 PostgreSQL {ours}，本程序要求 {_OLDEST} 或更新；请改正或取消 CVL_PG_BIN。",
        )
    has = written.read_text("ascii").strip() if written.exists() else str(ours)
    if has != str(ours):
        raise Refused(
            "other_major_version",
            f"数据目录 {site.data} 属于 PostgreSQL {has}，而现在的程序是 PostgreSQL {ours}；"
            f"请把 CVL_PG_BIN 设为 PostgreSQL {has} 的 bin 目录，执行 cvl db backup 导出，"
            "再取消该设置，换一个 CVL_HOME，执行 cvl db restore 导入。",
        )


def bring_up(site: Site) -> None:
    """Wait until the server answers: adopt it, start it if it is not there, furnish it if it is bare."""
    log = log_size(site)
    began = heard = time.monotonic()
    starts, furnished = 0, False
    while (state := _ask(site)) is not _State.READY:
        now = time.monotonic()
        if state is _State.SILENT:
            if starts == 3:  # it comes up and dies at once
                raise failed(site, "启动数据库", log)
            if _start_if_none(site):
                starts += 1
            elif now - heard > SILENT_SECONDS:
                raise _unheard(site)
        else:
            heard = now
        if state is _State.STOPPING:
            stop(site)
        if state is _State.BARE:
            if furnished:
                raise failed(site, "准备数据库", log)
            _furnish(site)
            furnished = True
        if now - began > START_SECONDS:
            raise failed(site, "启动数据库", log)
        time.sleep(0.02 if now - began < 2 else 0.25)  # each refusal is a line in the log


def _ask(site: Site) -> _State:
    """Ask the server through its socket how it is."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.settimeout(5)
            door.connect(str(site.socket))
    except (TimeoutError, BlockingIOError):  # it is there and has no time
        return _State.WAIT
    except OSError:
        return _State.SILENT
    if not (site.folder / f"password.{LOGIN}").exists():
        return _State.BARE
    try:
        with psycopg.connect(url_of(site, LOGIN, DATABASE), connect_timeout=5) as db:
            found = db.execute(_ASK).fetchone()
    except psycopg.OperationalError as error:
        return _heard(site, str(error))
    return _State.READY if found == (_FURNISHED,) else _State.BARE


def _heard(site: Site, refusal: str) -> _State:
    """Tell from the server's refusal (its messages are English: --locale=C) how it is."""
    _, fatal, said = refusal.partition("FATAL:")
    if "the database system is shutting down" in said:
        return _State.STOPPING
    if not fatal or "the database system is" in said:  # the line was cut, or it starts or recovers
        return _State.WAIT
    if "too many" in said or "connection slots" in said:
        return _State.READY  # it is full, hence alive
    if any(word in said for word in ("does not exist", "authentication failed", "not permitted to log in")):
        return _State.BARE
    raise Unreachable("embedded_failed", f"数据库拒绝连接（{said.strip()}）；请看日志 {site.log}，处理后重试。")


def _start_if_none(site: Site) -> bool:
    """Start the server if no process of it is left, else clear away orphans; tell whether it was started."""
    log = log_size(site)
    with opened(site.data) as held:
        if not try_lock(held):
            _kill_orphans(site, held)
            return False
        if strangers := _server_pids(site, held):
            raise Unreachable(
                "other_server",
                f"PostgreSQL 进程 {strangers[0]} 在使用 {site.data}，但不是本程序启动的；请先停掉它。",
            )
        # Nobody holds the folder: what these name is gone, whoever bears that number now.
        (site.data / "postmaster.pid").unlink(missing_ok=True)
        make_private(site)
        for litter in site.sockets.iterdir():
            litter.unlink()
        with opened(site.sockets) as sockets:
            settings = {**_SETTINGS, "shared_buffers": shared_buffers()}
            settings["unix_socket_directories"] = _door(site, site.sockets, sockets)
            options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            command = ["pg_ctl", "start", "-s", "-w", "-t", str(START_SECONDS)]
            command += ["-o", shlex.join(options + _more_options())]
            if _run(site, command, site.data, held, [sockets]) != 0:
                raise failed(site, "启动数据库", log)
    return True


def _more_options() -> list[str]:
    """Read the further options of the server from CVL_PG_OPTIONS; being last they win."""
    try:
        return shlex.split(os.environ.get("CVL_PG_OPTIONS", ""))
    except ValueError:
        raise Misused("bad_pg_options", "CVL_PG_OPTIONS 的引号不配对，请改成如 -c work_mem=64MB 的写法。") from None


def _run(site: Site, command: Sequence[str], data: Path, held: int, fds: Sequence[int]) -> int:
    """Run one of PostgreSQL's programs; it and all its children inherit the lock on the data folder."""
    folder = usable_bin_dir(bin_dir(), site.account)
    env = {"PGDATA": _door(site, data, held)}  # not -D, which pg_ctl pastes into a shell command
    with opened(site.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as log:
        return run([folder / command[0], *command[1:]], account=site.account, output=log, env=env, fds=[held, *fds])


def _door(site: Site, path: Path, fd: int) -> str:
    """Name a folder so that the server finds it: by descriptor where its account may not walk there."""
    return f"/proc/self/fd/{fd}" if site.account and _PROC.exists() else str(path)


def _server_pids(site: Site, data: int) -> list[int]:
    """List PostgreSQL's processes that stand in the data folder, orphans too; empty where there is no /proc.

    The account itself looks: in a container even root may not see where the processes of others stand.
    """
    script = (
        f"for p in /proc/[0-9]*; do [ $p/cwd -ef {shlex.quote(_door(site, site.data, data))} ] || continue;"
        ' read -r name <$p/comm && [ "$name" = postgres ] && echo ${p#/proc/}; done'
    )
    reads, writes = os.pipe()
    with open(reads) as answer:
        try:
            run(["/bin/sh", "-c", script], account=site.account, output=writes, fds=[data])
        finally:
            os.close(writes)
        return [int(line) for line in answer if line.strip().isdigit()]


def _postmaster(site: Site) -> int | None:
    """Read the number of the main process from its file, which may be stale."""
    try:
        return int((site.data / "postmaster.pid").read_text("utf-8").splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _kill_orphans(site: Site, data: int) -> None:
    """Kill what is left of a server whose main process is gone; the next start recovers as after a crash."""
    pids = _server_pids(site, data)
    if _postmaster(site) not in pids:
        for pid in pids:
            _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    """Send a signal to a process that may be gone meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _unheard(site: Site) -> Unreachable:
    """Say that a server lives but is not heard: its socket was deleted, or it runs in another container."""
    with opened(site.data) as data:
        seen = " ".join(map(str, _server_pids(site, data)))
    way = f"请执行 kill -INT {_postmaster(site)} 停掉它" if seen else "它不在本机可见的进程里，请到它所在的容器停掉它"
    return Unreachable(
        "socket_lost",
        f"{site.data} 正被一个数据库进程使用，但 {site.sockets} 里没有它的套接字；{way}，然后重试。",
    )


def _furnish(site: Site) -> None:
    """Create our login role and our database; may be repeated after a kill at any point."""
    secret = password(site, LOGIN, create=True)
    try:
        with psycopg.connect(url_of(site, "postgres", "postgres"), connect_timeout=5, autocommit=True) as db:
            verb = "ALTER" if _exists(db, "SELECT FROM pg_roles WHERE rolname = %s", LOGIN) else "CREATE"
            hidden = db.pgconn.encrypt_password(secret.encode(), LOGIN.encode(), b"scram-sha-256").decode()
            db.execute(
                sql.SQL("{} ROLE {} LOGIN CREATEROLE NOSUPERUSER NOCREATEDB PASSWORD {}").format(
                    sql.SQL(verb), sql.Identifier(LOGIN), sql.Literal(hidden)
                )
            )
            if not _exists(db, "SELECT FROM pg_database WHERE datname = %s", DATABASE):
                db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        with psycopg.connect(url_of(site, "postgres", DATABASE), connect_timeout=5) as db:
            names = {
                "db": sql.Identifier(DATABASE),
                "login": sql.Identifier(LOGIN),
                "word": sql.Literal(_FURNISHED),
            }
            for statement in (
                # With grant option: the login hands these rights on to the role that owns the schema.
                "GRANT CREATE, TEMPORARY, CONNECT ON DATABASE {db} TO {login} WITH GRANT OPTION",
                "GRANT CREATE, USAGE ON SCHEMA public TO {login} WITH GRANT OPTION",
                "COMMENT ON DATABASE {db} IS {word}",
            ):
                db.execute(sql.SQL(statement).format(**names))
    except psycopg.Error as error:
        raise Unreachable(
            "embedded_failed",
            f"准备数据库失败（{str(error).strip()}）；请看日志 {site.log}，"
            f"并确认口令文件 {site.folder}/password.postgres 与数据目录成对。",
        ) from error


def _exists(db: psycopg.Connection[tuple[object, ...]], query: str, name: str) -> bool:
    """Tell whether a query about a name finds a row."""
    return db.execute(query.encode(), (name,)).fetchone() is not None


def stop(site: Site) -> None:
    """Stop the server (fast shutdown) and wait until its last process is gone.

    The signals are sent here: `pg_ctl stop` would send them to whatever process bears a stale number. A server
    that does not go is urged on: the next start then recovers as after a crash.
    """
    if not site.data.exists():
        return
    began, looked, sent = time.monotonic(), 0.0, list[signal.Signals]()
    with opened(site.data) as held:
        if try_lock(held):
            return
        while not try_lock(held) and (now := time.monotonic()) - began < START_SECONDS:
            if now - looked > 0.5:
                looked, main, pids = now, _postmaster(site), _server_pids(site, held)
                number = _next_signal(site, now - began)
                if main and (main in pids or not _PROC.exists()):
                    if number and number not in sent:
                        _signal(main, number)
                        sent.append(number)
                elif pids:
                    _kill_orphans(site, held)
                elif now - began > SILENT_SECONDS:
                    return  # nothing of it is to be seen: the next user sorts it out
            time.sleep(0.01)
    with suppress(OSError):
        site.sockets.rmdir()


def _next_signal(site: Site, waited: float) -> signal.Signals | None:
    """Choose how to tell the main process to stop; None: not yet.

    A fast shutdown in the middle of a recovery was seen to hang (18.4), so that is given time to end.
    """
    if waited > 2 * PATIENCE_SECONDS:
        return signal.SIGKILL
    if waited > PATIENCE_SECONDS:
        return signal.SIGQUIT
    try:
        recovers = _ask(site) is _State.WAIT
    except Unreachable:
        recovers = False
    return None if recovers else signal.SIGINT

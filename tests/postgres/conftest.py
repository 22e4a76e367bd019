"""One embedded server for the whole test session, and a fresh clone of a template database per test."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, make_url

from settlement import documents
from settlement.policy import load
from tests.postgres import small_ledger
from tests.postgres.desk import Desk, companies, providers
from tests.postgres.shelf import Shelf, Shelved
from voucher import access, migrate
from voucher.access import User
from voucher.database import make_engine, run, transaction
from voucher.embedded import running, superuser_url

TODAY = "2026-08-15"
USERS = {
    "admin1": "admin",
    "maker1": "maker",
    "maker2": "maker",
    "checker1": "checker",
    "checker2": "checker",
    "auditor1": "auditor",
}
TEMPLATE = "pattern"
_NUMBERS = count(1)
"""Of the databases of this process: the fixtures may be made more than once in it."""
_OPTIONS = (
    "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0"
    " -c shared_buffers=64MB -c autovacuum=off"
)
_ROOM = 4 << 30
"""Bytes that a memory file system must have free for the tests' server."""
Clone = Callable[..., Engine]
"""Makes one more database, a copy of the template that is named or of the one with users alone."""
Shelves = Callable[[str], Shelf]
"""Finds the shelf of a template."""


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> str:
    """Fix the business day; a test that needs another one sets CVL_TODAY itself."""
    monkeypatch.setenv("CVL_TODAY", TODAY)
    return TODAY


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep one server for all workers of the session; give its home. CVL_PG_BIN names other binaries."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    home = _in_memory(folder) / "pg"
    users = os.open(folder / "pg.users", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(users, fcntl.LOCK_SH)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CVL_PG_OPTIONS", _OPTIONS)
            use = running(home)
            url = use.__enter__()
        try:
            with _locked(folder / "pg.template"):
                _build_template(home, url)
            yield home
        finally:
            use.__exit__(None, None, None)
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the last one out tidies up
        shutil.rmtree(home)
        if home.parent != folder:
            home.parent.rmdir()
    except BlockingIOError:
        pass
    finally:
        os.close(users)


@pytest.fixture(scope="session")
def clone(server: Path) -> Iterator[Clone]:
    """Give a function that makes one more fresh database; all of them are dropped when the session ends."""
    made: list[tuple[str, Engine]] = []
    with _superuser(server) as root, running(server) as url:

        def fresh(template: str = TEMPLATE) -> Engine:
            name = f"t{os.getpid()}_{next(_NUMBERS)}"
            _copy_database(root, name, template)
            engine = make_engine(make_url(url).set(database=name).render_as_string(hide_password=False))
            made.append((name, engine))
            return engine

        yield fresh
        for _, engine in made:
            engine.dispose()


@pytest.fixture(scope="session")
def books(clone: Clone) -> Engine:
    """Give one small ledger for all tests that only look, or change it in transactions that are rolled back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_TODAY", TODAY)
        engine = clone()
        small_ledger.build(engine, usage=True)
    return engine


@pytest.fixture(scope="session")
def shelves(server: Path, clone: Clone) -> Iterator[Shelves]:
    """Give the shelf of each template: the databases that tests use one after another."""
    shelves: dict[str, Shelf] = {}

    def of(template: str) -> Shelf:
        def fresh() -> Shelved:
            engine = clone(template)
            url = make_url(superuser_url(server)).set(database=engine.url.database)
            return Shelved(engine, url.render_as_string(hide_password=False))

        def drop(name: str) -> None:
            with _superuser(server) as root:
                _drop_database(root, name)

        return shelves.setdefault(template, Shelf(fresh, drop))

    yield of
    for shelf in shelves.values():
        shelf.close()


@pytest.fixture
def db_engine(shelves: Shelves) -> Iterator[Engine]:
    """Give an engine on a database as new: migrated, with the shipped policies and one user of each role."""
    kept = shelves(TEMPLATE).take()
    yield kept.engine
    shelves(TEMPLATE).put_back(kept)


@pytest.fixture(scope="session")
def registered(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the name of a template in which the companies C and D are qualified and the provider P is listed."""
    home = tmp_path_factory.mktemp("registered") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_TODAY", TODAY)
        patch.setenv("CVL_HOME", str(home))
        made = Desk(clone(), home)
        assert made.register(companies("C", "D")).exit_status == 0
        assert made.register(providers("P")).exit_status == 0
    made.engine.dispose()
    return str(made.engine.url.database)


@pytest.fixture
def desk(shelves: Shelves, registered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Give a desk where C and D are qualified and P is listed."""
    home = tmp_path / "home"
    monkeypatch.setenv("CVL_HOME", str(home))
    kept = shelves(registered).take()
    yield Desk(kept.engine, home)
    shelves(registered).put_back(kept)


@pytest.fixture
def users() -> dict[str, User]:
    """Give the users of the template by name."""
    return {name: User(name, role, None) for name, role in USERS.items()}


def _in_memory(folder: Path) -> Path:
    """Give a folder in memory where there is one with room to spare: thousands of small files are made and dropped.

    One that forbids programs is no use, the server's own are copied there.
    """
    shared = Path("/dev/shm")
    if not shared.is_dir() or not os.access(shared, os.W_OK) or os.statvfs(shared).f_flag & os.ST_NOEXEC:
        return folder
    if shutil.disk_usage(shared).free < _ROOM:
        return folder
    place = shared / f"cvl-{os.getuid()}-{folder.parent.name}-{folder.name}"
    place.mkdir(mode=0o755, exist_ok=True)
    return place


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Be the only worker here."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _superuser(home: Path) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(superuser_url(home), autocommit=True) as root:
        yield root


def _build_template(home: Path, url: str) -> None:
    """Make the template database unless another worker did; a half-made one is made again."""
    with _superuser(home) as root:
        if root.execute("SELECT FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone() is not None:
            return
        _drop_database(root, "building")
        _copy_database(root, "building", "template1")
        engine = make_engine(make_url(url).set(database="building").render_as_string(hide_password=False))
        try:
            migrate.migrate(engine)
            _furnish(engine)
        finally:
            engine.dispose()
        root.execute(f"ALTER DATABASE building RENAME TO {TEMPLATE}")


def _furnish(engine: Engine) -> None:
    """Record the shipped policies and add the users, as `cvl init` and `cvl user add` do."""
    folder = files("settlement").joinpath("policies")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_TODAY", TODAY)
        for entry in sorted(folder.iterdir(), key=lambda each: each.name):
            if entry.name.endswith(".toml"):
                body = entry.read_bytes()
                run(engine, lambda db, body=body: documents.record(db, load(body), body, access.SYSTEM))
        for name, role in USERS.items():
            with transaction(engine) as db:
                access.add(db, "admin1", name, role)


def _copy_database(root: psycopg.Connection[tuple[object, ...]], name: str, template: str) -> None:
    """Copy a database file by file, a third of what it costs through the log; its rights are not copied with it."""
    database, pattern = sql.Identifier(name), sql.Identifier(template)
    root.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(database, pattern))
    root.execute(sql.SQL("GRANT CREATE, TEMPORARY, CONNECT ON DATABASE {} TO cvl_login").format(database))


def _drop_database(root: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    root.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

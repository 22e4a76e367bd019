"""Connections, transactions and SQL files: the one way to the database for every door.

The transaction opens at a door and is passed in as ``db``; nothing below a door commits.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, TypeVar, cast

import psycopg
from psycopg import errors as pg
from sqlalchemy import Connection, Engine, TextClause, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

import sql
from voucher import embedded
from voucher.errors import Broken, Busy, Refused, Unreachable

Role = Literal["cvl_app", "cvl_auditor", "cvl_owner", "cvl_provider"]
Result = TypeVar("Result")
Row = Mapping[str, Any]
LOCK_TIMEOUT = "5s"
_RETRIES = 5
_READERS = ("cvl_auditor", "cvl_provider")


def make_engine(url: str) -> Engine:
    """Make an engine on a PostgreSQL URL (15 or newer); nothing is connected yet. Raises Unreachable."""
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError) as error:
        said = "CVL_DATABASE_URL 不是数据库地址，请写成 postgresql://用户:口令@主机:端口/库名。"
        raise Unreachable("bad_url", said) from error
    return create_engine(parsed, poolclass=QueuePool, pool_size=8, max_overflow=24, pool_pre_ping=True)


@contextmanager
def opened() -> Iterator[Engine]:
    """Open the database that CVL_DATABASE_URL names, else the embedded one under CVL_HOME.

    Raises Unreachable when no server answers.
    """
    url = os.environ.get("CVL_DATABASE_URL")
    if url:
        engine = make_engine(url)
        try:
            yield engine
        finally:
            engine.dispose()
        return
    with embedded.running(embedded.home_dir()) as local:
        engine = make_engine(local)
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def transaction(engine: Engine, role: Role = "cvl_app", provider: str = "") -> Iterator[Connection]:
    """Open one READ COMMITTED transaction under a role; commit at the end, roll back on any exception.

    provider: whose rows alone the role cvl_provider sees (USCC); role and provider end with the transaction.
    What only reads is planned for the filters that were given: most are null, and a plan that is kept for any of them
    can take a thousand times as long.
    Raises Unreachable, Busy, Refused or Broken in place of the driver's errors that users can meet.
    """
    with translated(), engine.begin() as db:
        db.exec_driver_sql(
            "SELECT set_config('role', %s, true), set_config('search_path', 'cvl, pg_temp', true),"
            " set_config('lock_timeout', %s, true), set_config('timezone', 'UTC', true),"
            " set_config('jit', 'off', true), set_config('cvl.provider', %s, true),"
            " set_config('plan_cache_mode', %s, true)",
            (role, LOCK_TIMEOUT, provider, "force_custom_plan" if role in _READERS else "auto"),
        )
        yield db


def run(engine: Engine, work: Callable[[Connection], Result], role: Role = "cvl_app", provider: str = "") -> Result:
    """Run work in a transaction; the whole of it again when PostgreSQL broke a deadlock or a conflict."""
    for attempt in range(_RETRIES):
        try:
            with transaction(engine, role, provider) as db:
                return work(db)
        except DBAPIError as error:
            retry = isinstance(error.orig, pg.SerializationFailure | pg.DeadlockDetected)
            if not retry or attempt == _RETRIES - 1:
                raise
    raise AssertionError("unreachable")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors that an operator can do something about into the product's own."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        orig = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(orig, pg.LockNotAvailable):
            raise Busy("busy", "另一项操作正在进行，5 秒内未能取得锁。请稍后重试。") from error
        if isinstance(orig, pg.UndefinedTable | pg.InvalidSchemaName | pg.InvalidParameterValue) or (
            isinstance(orig, pg.UndefinedObject) and "role" in str(orig)
        ):
            raise Unreachable("not_initialised", "数据库尚未建立。请先运行 cvl init。") from error
        if isinstance(orig, pg.CheckViolation) and orig.diag.constraint_name == "floor":
            raise Refused("insufficient", "账户余额不足，本次操作未记账。请先核对额度或指标。") from error
        if isinstance(orig, psycopg.Error) and orig.sqlstate == "CV003":
            raise Refused("second_person", "须由未参与经办的复核人员办理。请换一名复核人员。") from error
        if isinstance(orig, psycopg.Error) and orig.sqlstate in ("CV001", "CV002"):
            raise Broken("append_only", f"账目只能追加，不能修改：{orig}") from error
        if isinstance(error, OperationalError | psycopg.OperationalError) and not isinstance(
            orig, pg.SerializationFailure | pg.DeadlockDetected
        ):
            said = (str(orig).splitlines() or [""])[0]
            raise Unreachable("unreachable", f"无法连接数据库：{said}。请检查数据库服务后重试。") from error
        raise


@cache
def _statement(name: str) -> TextClause:
    """Read a SQL file as a statement, once: finding its parameters anew each time costs as much as a short query."""
    return text(sql.read(name))


def query(db: Connection, name: str, /, **params: object) -> list[Row]:
    """Run one SQL file (``query(db, "queries/act/list.sql", cutoff=7)``) and return its rows by column name."""
    return cast(list[Row], db.execute(_statement(name), params).mappings().all())


def stream(db: Connection, name: str, /, **params: object) -> Iterator[Row]:
    """Run one SQL file and yield its rows some at a time, so that memory stays bounded however many there are."""
    options = {"stream_results": True, "yield_per": 100}
    for row in db.execute(_statement(name), params, execution_options=options).mappings():
        yield dict(row)


def one(db: Connection, name: str, /, **params: object) -> Row | None:
    """Run one SQL file and return its only row, or None. More than one row is a programming error."""
    return cast(Row | None, db.execute(_statement(name), params).mappings().one_or_none())


def run_file(db: Connection, name: str, /, **params: object) -> int:
    """Run one SQL file that writes; return the number of rows it wrote."""
    return db.execute(_statement(name), params).rowcount


def expect_many(db: Connection) -> None:
    """Tell PostgreSQL that the rest of the transaction runs over many rows.

    Right after a bulk load its statistics are old, and a nested loop that it takes for short is not.
    """
    db.exec_driver_sql(
        "SELECT set_config('work_mem', '192MB', true), set_config('enable_nestloop', 'off', true),"
        " set_config('enable_mergejoin', 'off', true)"
    )


def driver(db: Connection) -> psycopg.Connection[Any]:
    """Return the psycopg connection under a transaction, for COPY."""
    connection = db.connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection

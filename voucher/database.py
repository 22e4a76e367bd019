"""Connections, transactions and SQL files: the one way to the database for every door.

The transaction opens at a door and is passed in as ``db``; nothing below a door commits.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import psycopg
from psycopg import errors as pg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.rows import dict_row
from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, make_url, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

import sql
from voucher import embedded
from voucher.errors import Broken, Busy, Refused, Unreachable

Role = Literal["cvl_app", "cvl_auditor", "cvl_owner", "cvl_provider"]
Result = TypeVar("Result")
Row = Mapping[str, Any]
LOCK_TIMEOUT = "5s"
_PLANS = 500
"""More statements than there are files of queries."""
_RETRIES = 5
_READERS = ("cvl_auditor", "cvl_provider")
_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_STREAMS = count()
_TIME_LIMIT = (
    "time_limit",
    "数据库按它的时间限制（statement_timeout 等）中止了这次操作，没有入账。请由数据库管理员放宽这项限制后重试。",
)
_STOPPED: Mapping[type[psycopg.Error], tuple[str, str]] = {
    pg.ReadOnlySqlTransaction: (
        "read_only", "这个数据库现在只能读（是备机，或被设为只读），没有入账。请把 CVL_DATABASE_URL 指向主库后重试。"
    ),
    pg.DiskFull: ("no_space", "数据库所在的磁盘已满，没有入账。请腾出数据库服务器的磁盘空间后重试。"),
    pg.QueryCanceled: _TIME_LIMIT,
    pg.IdleInTransactionSessionTimeout: _TIME_LIMIT,
}  # fmt: skip
"""Why a server that is there did not do it: code and sentence."""


def make_engine(url: str, variable: str = "CVL_DATABASE_URL") -> Engine:
    """Make an engine on a PostgreSQL URL (15 or newer); nothing is connected yet.

    variable: where the URL was set. Raises Unreachable when it is none.
    """
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError) as error:
        said = f"{variable} 不是数据库地址，请写成 postgresql://用户:口令@主机:端口/库名。"
        raise Unreachable("bad_url", said) from error
    engine = create_engine(
        parsed, poolclass=QueuePool, pool_size=8, max_overflow=24, pool_pre_ping=True, pool_use_lifo=True,
        isolation_level="READ COMMITTED", connect_args={"client_encoding": "UTF8", **_alive(parsed)},
    )  # fmt: skip
    event.listen(engine, "connect", _keep_plans)
    return engine


def _alive(url: URL) -> dict[str, int]:
    """Give up a server that has not answered the network for two minutes; what the address says itself stays.

    Without it a cut line, of which no one is told, would keep a command waiting for hours.
    """
    wanted = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6, "tcp_user_timeout": 120_000}
    return {name: value for name, value in wanted.items() if name not in url.query}


def _keep_plans(session: psycopg.Connection[Any], _record: object) -> None:
    """Let a session keep the plans of all it runs: it costs more to plan a short statement than to run it.

    An old pgbouncer gives each transaction another session, where the plan is not: CVL_PREPARE=never.
    """
    session.prepared_max = _PLANS
    if os.environ.get("CVL_PREPARE") == "never":
        session.prepare_threshold = None


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
    home = embedded.home_dir()
    with embedded.running(home) as local:
        engine = make_engine(local)
        event.listen(engine, "do_connect", partial(_connected, home))
        try:
            yield engine
        finally:
            engine.dispose()


def _connected(home: Path, dialect: Dialect, _record: object, words: list[Any], named: dict[str, Any]) -> Any:
    """Connect to the embedded server; the portal and the scheduler outlive one that was killed, and start it again."""
    try:
        return dialect.connect(*words, **named)
    except psycopg.OperationalError:
        if not embedded.revive(home):
            raise
        return dialect.connect(*words, **named)


@contextmanager
def reading(engine: Engine) -> Iterator[Engine]:
    """Open the replica that CVL_READ_URL names, for what reads much and says up to which seal; else the same database.

    Raises Unreachable when its address is none.
    """
    url = os.environ.get("CVL_READ_URL")
    if not url:
        yield engine
        return
    replica = make_engine(url, "CVL_READ_URL")
    try:
        yield replica
    finally:
        replica.dispose()


@contextmanager
def transaction(engine: Engine, role: Role = "cvl_app", provider: str = "") -> Iterator[Connection]:
    """Open one READ COMMITTED transaction under a role; commit at the end, roll back on any exception.

    provider: whose rows alone the role cvl_provider sees (USCC); role and provider end with the transaction.
    What only reads is planned for the filters that were given: most are null, and a plan that is kept for any of them
    can take a thousand times as long.
    Raises Unreachable, Busy, Refused or Broken in place of the driver's errors that users can meet.
    """
    with translated(), engine.begin() as db:
        _begin(db, role, provider)
        session = driver(db)
        prepared = session.prepare_threshold
        try:
            yield db
        except Exception:
            raise
        except BaseException:  # the process is told to stop, and nobody knows how far a statement has come
            db.invalidate()
            raise
        finally:
            session.prepare_threshold = prepared


def _begin(db: Connection, role: Role, provider: str) -> None:
    """Set the role and what else ends with the transaction, whatever the login or the server has for its own.

    Raises Unreachable when the login may not take the role.
    """
    try:
        db.exec_driver_sql(
            "SELECT set_config('role', %s, true), set_config('search_path', 'cvl, pg_temp', true),"
            " set_config('lock_timeout', %s, true), set_config('timezone', 'UTC', true),"
            " set_config('datestyle', 'ISO, YMD', true), set_config('intervalstyle', 'postgres', true),"
            " set_config('row_security', 'on', true), set_config('jit', 'off', true),"
            " set_config('cvl.provider', %s, true),"
            " set_config('plan_cache_mode', %s, true)",
            (role, LOCK_TIMEOUT, provider, "force_custom_plan" if role in _READERS else "auto"),
        )
    except DBAPIError as error:
        if not isinstance(_cause(error), pg.InsufficientPrivilege):
            raise
        said = f"登录用户还不能使用账本的角色 {role}。请先运行 cvl init。"
        raise Unreachable("not_initialised", said) from error


def run(engine: Engine, work: Callable[[Connection], Result], role: Role = "cvl_app", provider: str = "") -> Result:
    """Run work in a transaction; the whole of it again when PostgreSQL broke a deadlock or a conflict.

    Raises what `transaction` raises, and Busy when it was broken every time.
    """
    broken: Exception | None = None
    for _ in range(_RETRIES):
        try:
            with transaction(engine, role, provider) as db:
                return work(db)
        except (DBAPIError, psycopg.Error) as error:
            if not isinstance(_cause(error), pg.SerializationFailure | pg.DeadlockDetected):
                raise
            broken = error
    raise Busy("busy", "与别的操作一再冲突，本次没有入账。请稍后重试。") from broken


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors that an operator can do something about into the product's own."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        orig = _cause(error)
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
        if why := next((why for kind, why in _STOPPED.items() if isinstance(orig, kind)), None):
            raise Unreachable(*why) from error
        if isinstance(error, OperationalError | psycopg.OperationalError) and not isinstance(
            orig, pg.SerializationFailure | pg.DeadlockDetected
        ):
            said = (str(orig).splitlines() or [""])[0]
            raise Unreachable("unreachable", f"无法连接数据库：{said}。请检查数据库服务后重试。") from error
        raise


def _cause(error: Exception) -> BaseException | None:
    """Return the driver's own error: of a statement as it is, of a connection or a commit within SQLAlchemy's."""
    return error.orig if isinstance(error, DBAPIError) else error


@cache
def _statement(name: str) -> str:
    """Read a SQL file as the driver wants it, once: finding its parameters anew costs as much as a short query."""
    return str(text(sql.read(name)).compile(dialect=_DIALECT))


def query(db: Connection, name: str, /, **params: object) -> list[Row]:
    """Run one SQL file (``query(db, "queries/act/list.sql", cutoff=7)``) and return its rows by column name.

    The driver is asked directly: through SQLAlchemy a short statement costs two to three times as much.
    """
    with driver(db).cursor(row_factory=dict_row) as cursor:
        return cast(list[Row], cursor.execute(_statement(name), params).fetchall())


def stream(db: Connection, name: str, /, **params: object) -> Iterator[Row]:
    """Run one SQL file and yield its rows some at a time, so that memory stays bounded however many there are."""
    with driver(db).cursor(f"stream_{next(_STREAMS)}", row_factory=dict_row) as cursor:
        cursor.itersize = 100
        yield from cursor.execute(_statement(name), params)


def one(db: Connection, name: str, /, **params: object) -> Row | None:
    """Run one SQL file and return its only row, or None. More than one row is a programming error."""
    rows = query(db, name, **params)
    assert len(rows) < 2, name
    return rows[0] if rows else None


def run_file(db: Connection, name: str, /, **params: object) -> int:
    """Run one SQL file that writes; return the number of rows it wrote."""
    with driver(db).cursor() as cursor:
        return cursor.execute(_statement(name), params).rowcount


@contextmanager
def undone(db: Connection) -> Iterator[None]:
    """Undo at the end what is done within; an exception is left to undo the whole transaction.

    libpq is asked directly: after a rollback that the driver sees it forgets the session's plans.
    """
    _tell(db, b"SAVEPOINT undone")
    yield
    _tell(db, b"ROLLBACK TO SAVEPOINT undone")


def _tell(db: Connection, command: bytes) -> None:
    """Give the server a command past the driver."""
    result = driver(db).pgconn.exec_(command)
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result)


def plan_anew(db: Connection) -> None:
    """Have each statement of the rest of the transaction planned for the rows that are there now.

    A plan that the session kept from a transaction over few rows can take for ever over many.
    """
    driver(db).prepare_threshold = None


def expect_many(db: Connection) -> None:
    """Tell PostgreSQL that the rest of the transaction runs over many rows.

    Right after a bulk load its statistics are old, and a nested loop that it takes for short is not.
    """
    plan_anew(db)
    db.exec_driver_sql(
        "SELECT set_config('work_mem', '192MB', true), set_config('enable_nestloop', 'off', true),"
        " set_config('enable_mergejoin', 'off', true)"
    )


def driver(db: Connection) -> psycopg.Connection[Any]:
    """Return the psycopg connection under a transaction, for COPY."""
    connection = db.connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection

"""Bring a database up to date: numbered SQL files, forward only, an applied file is never edited."""

import hashlib
import re

from psycopg import Connection
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine

import sql
from voucher.database import translated
from voucher.errors import Refused, Unreachable

_LOCK = 0x43564C01
_ROLES = ("cvl_owner", "cvl_app", "cvl_auditor", "cvl_provider")


def migrate(engine: Engine) -> list[str]:
    """Apply the migrations that are not there yet; return their names.

    The login needs CREATEROLE and CREATE on the database, never more; Unreachable when it lacks them. Raises Refused
    when an applied file was edited or when the database is newer than the program.
    """
    with translated(), engine.connect() as db:
        raw = db.connection.driver_connection
        assert isinstance(raw, Connection)
        with raw.transaction():
            raw.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            try:
                _prepare(raw)
            except InsufficientPrivilege as error:
                raise Unreachable("login_rights", _rights(raw, str(error).splitlines()[0])) from error
            return _apply(raw)


def _rights(raw: "Connection[tuple[object, ...]]", said: str) -> str:
    """Say which rights the login lacks and who grants them. said: by the server."""
    login, database = raw.info.user, raw.info.dbname
    return (
        f"登录用户 {login} 的权限不够（{said}）。它须有 CREATEROLE 和在数据库 {database} 上 CREATE 的权限，"
        f"不必是超级用户：请由数据库管理员执行 ALTER ROLE {login} CREATEROLE 和 "
        f"GRANT CREATE ON DATABASE {database} TO {login}；账本的角色是别的登录用户建立的，再执行 "
        f"GRANT {', '.join(_ROLES)} TO {login}。然后重新运行 cvl init。"
    )


def make_roles(raw: "Connection[tuple[object, ...]]") -> None:
    """Make the roles where they are missing, and become a member of them.

    Raises Refused on too old a server and in a database that cannot hold every Chinese name.
    """
    if raw.info.server_version < 150000:
        raise Refused("old_server", "PostgreSQL 版本过低，需要 15 或更高版本。请升级数据库服务器。")
    if (encoding := raw.info.parameter_status("server_encoding")) != "UTF8":
        said = f"数据库 {raw.info.dbname} 的编码是 {encoding}，账本须用 UTF8。请由数据库管理员执行"
        said += " CREATE DATABASE 库名 ENCODING 'UTF8' TEMPLATE template0 另建一个，再重试。"
        raise Refused("not_utf8", said)
    for role in _ROLES:
        # CREATE ROLE has no IF NOT EXISTS, and roles are shared by all databases of a server.
        raw.execute(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        try:
            with raw.transaction():
                raw.execute(f"SET LOCAL ROLE {role}")
                raw.execute("RESET ROLE")
        except InsufficientPrivilege:
            raw.execute(f"GRANT {role} TO CURRENT_USER")


def _prepare(raw: "Connection[tuple[object, ...]]") -> None:
    """Make the roles, the schema and the table of migrations."""
    make_roles(raw)
    raw.execute("CREATE SCHEMA IF NOT EXISTS cvl AUTHORIZATION cvl_owner")
    raw.execute("SET LOCAL ROLE cvl_owner")
    raw.execute("SET LOCAL search_path = cvl")
    raw.execute("GRANT USAGE ON SCHEMA cvl TO cvl_app, cvl_auditor")
    raw.execute(
        "CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY, name text NOT NULL,"
        " sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    raw.execute("GRANT SELECT ON migration TO cvl_app, cvl_auditor")


def _apply(raw: "Connection[tuple[object, ...]]") -> list[str]:
    """Apply what is missing, in order of the numbers."""
    done = {int(str(n)): str(s) for n, s in raw.execute("SELECT number, sha256 FROM migration").fetchall()}
    applied = []
    for path in sql.names("migrations"):
        name = path.rsplit("/", 1)[1]
        match = re.match(r"(\d{4})_", name)
        assert match is not None, name
        number, body = int(match[1]), sql.read(path)
        digest = hashlib.sha256(body.encode()).hexdigest()
        if number in done:
            if done.pop(number) != digest:
                raise Refused("migration_edited", f"已执行的迁移 {name} 被改动过。请恢复原文件，改动另写新迁移。")
            continue
        raw.execute(body.encode())
        raw.execute("INSERT INTO migration (number, name, sha256) VALUES (%s, %s, %s)", (number, name, digest))
        applied.append(name)
    if done:
        raise Refused("database_newer", "数据库由更新版本的程序建立。请升级本程序后再用。")
    return applied

"""The migrations add up to the schema, run once, and never change behind a database's back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text

import sql
from tests.postgres.conftest import _copy_database, _drop_database, _superuser
from voucher import migrate
from voucher.database import make_engine, transaction
from voucher.embedded import running
from voucher.errors import Refused, Unreachable

CATALOG = {
    "columns": """
        SELECT c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
            a.attgenerated, l.collname, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute AS a INNER JOIN pg_class AS c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
        WHERE c.relnamespace = 'cvl'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
            AND c.relname NOT LIKE 'migration%'""",
    "constraints": """
        SELECT t.relname, k.conname, pg_get_constraintdef(k.oid), k.condeferrable, k.condeferred
        FROM pg_constraint AS k INNER JOIN pg_class AS t ON t.oid = k.conrelid
        WHERE k.connamespace = 'cvl'::regnamespace AND t.relname <> 'migration'""",
    "indexes": """
        SELECT indexname, replace(indexdef, 'cvl.', '') FROM pg_indexes WHERE schemaname = 'cvl'
            AND tablename <> 'migration'""",
    "triggers": """
        SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled
        FROM pg_trigger AS t INNER JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND c.relnamespace = 'cvl'::regnamespace""",
    "functions": """
        SELECT p.proname, pg_get_functiondef(p.oid), p.proacl::text
        FROM pg_proc AS p WHERE p.pronamespace = 'cvl'::regnamespace""",
    "rights": """
        SELECT c.relname, c.relkind, pg_get_userbyid(c.relowner), r.acl
        FROM pg_class AS c
        LEFT JOIN LATERAL (SELECT array_agg(a::text ORDER BY a::text) AS acl FROM unnest(c.relacl) AS a) AS r ON TRUE
        WHERE c.relnamespace = 'cvl'::regnamespace AND c.relkind IN ('r', 'S', 'v') AND c.relname <> 'migration'""",
    "rights of columns": """
        SELECT c.relname, a.attname, a.attacl::text
        FROM pg_attribute AS a INNER JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'cvl'::regnamespace AND a.attacl IS NOT NULL""",
    "rules by row": """
        SELECT tablename, policyname, permissive, roles::text, cmd, qual, with_check, c.relrowsecurity
        FROM pg_policies INNER JOIN pg_class AS c ON c.relname = tablename AND c.relnamespace = 'cvl'::regnamespace""",
    "rows": "SELECT noun, from_state, to_state FROM cvl.allowed_move",
    "users": "SELECT name, role FROM cvl.app_user",
}


def empty(server: Path, name: str) -> Iterator[Engine]:
    """Give an engine on an empty database."""
    with _superuser(server) as root, running(server) as url:
        _drop_database(root, name)
        _copy_database(root, name, "template1")
        engine = make_engine(make_url(url).set(database=name).render_as_string(hide_password=False))
        yield engine
        engine.dispose()
        _drop_database(root, name)


@pytest.fixture
def bare(server: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    yield from empty(server, f"bare_{abs(hash(request.node.name)) % 10**9}")


@pytest.fixture
def other(server: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    yield from empty(server, f"other_{abs(hash(request.node.name)) % 10**9}")


def catalog(engine: Engine) -> dict[str, list[tuple[str, ...]]]:
    """Read all that a schema consists of."""
    with engine.connect() as db:
        db.exec_driver_sql("SET search_path = cvl")
        return {
            name: sorted(tuple(map(str, row)) for row in db.exec_driver_sql(statement.replace("%", "%%")))
            for name, statement in CATALOG.items()
        }


def from_schema(engine: Engine) -> None:
    """Make the schema from the files of sql/schema, one per noun, read in order."""
    with engine.connect() as db:
        raw = db.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        with raw.transaction():
            migrate._prepare(raw)
            for name in sql.names("schema"):
                raw.execute(sql.read(name).encode())


def test_the_migrations_add_up_to_the_schema(bare: Engine, other: Engine) -> None:
    migrate.migrate(bare)
    from_schema(other)
    told, meant = catalog(bare), catalog(other)
    assert sum(map(len, meant.values())) > 500
    for what in CATALOG:
        assert told[what] == meant[what], what


def test_every_table_is_reachable_by_the_app_and_by_the_auditor_or_kept_from_them(bare: Engine) -> None:
    migrate.migrate(bare)
    statement = """
        SELECT c.relname, has_table_privilege('cvl_app', c.oid, 'SELECT') AS app,
            has_table_privilege('cvl_auditor', c.oid, 'SELECT') AS auditor,
            has_table_privilege('cvl_app', c.oid, 'DELETE, TRUNCATE, TRIGGER, REFERENCES') AS more,
            has_any_column_privilege('cvl_app', c.oid, 'UPDATE') AS changes
        FROM pg_class AS c WHERE c.relnamespace = 'cvl'::regnamespace AND c.relkind = 'r'"""
    with bare.connect() as db:
        rows = {row.relname: row for row in db.execute(text(statement.replace("::", "\\:\\:")))}
    assert {name for name, row in rows.items() if not row.app} == set()
    login = {"login", "session", "login_failure", "second_factor", "recovery_code", "waiting_file"}
    portal = login | {"api_token", "api_answer"}
    assert {name for name, row in rows.items() if not row.auditor} == {"pending_account"} | portal
    drafts = {"open_run", "open_company", "draft_line", "draft_listed", "draft_company"}
    work = drafts | login
    assert {name for name, row in rows.items() if row.more} == work
    changed = work | {"account", "programme", "job_slot", "api_token", "api_answer"}
    assert {name for name, row in rows.items() if row.changes} == changed


def test_running_twice_does_nothing(bare: Engine) -> None:
    applied = migrate.migrate(bare)
    assert applied == [name.rsplit("/", 1)[1] for name in sql.names("migrations")]
    before = catalog(bare)
    assert migrate.migrate(bare) == []
    assert catalog(bare) == before
    with transaction(bare, "cvl_auditor") as db:
        assert [row.name for row in db.execute(text("SELECT name FROM migration ORDER BY number"))] == applied


def test_two_at_once_are_one_after_the_other(bare: Engine) -> None:
    barrier = Barrier(3)

    def work(_: int) -> list[str]:
        barrier.wait()
        return migrate.migrate(bare)

    with ThreadPoolExecutor(3) as pool:
        applied = sorted(pool.map(work, range(3)))
    assert applied[:2] == [[], []]
    assert len(applied[2]) == len(sql.names("migrations"))


def with_files(monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]) -> None:
    """Let the program have other migrations: changed ones, new ones."""
    real, names = sql.read, sql.names("migrations")
    bodies = {name: real(name) for name in names} | {f"migrations/{name}": body for name, body in changed.items()}
    monkeypatch.setattr(sql, "names", lambda folder: tuple(sorted(bodies)) if folder == "migrations" else ())
    monkeypatch.setattr(sql, "read", lambda name: bodies.get(name) or real(name))


def test_an_edited_file_that_was_applied_is_refused(bare: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate.migrate(bare)
    before = catalog(bare)
    first = sql.names("migrations")[0].rsplit("/", 1)[1]
    with_files(monkeypatch, {first: sql.read(f"migrations/{first}") + "\n", "9998_more.sql": "CREATE TABLE more ()"})
    with pytest.raises(Refused, match="migration_edited") as caught:
        migrate.migrate(bare)
    assert first in caught.value.message
    assert catalog(bare) == before


def test_a_new_file_is_applied_to_what_is_there(bare: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate.migrate(bare)
    with_files(monkeypatch, {"9998_more.sql": "CREATE TABLE more (x text DEFAULT ':no_parameter %s')"})
    assert migrate.migrate(bare) == ["9998_more.sql"]
    assert migrate.migrate(bare) == []


def test_a_migration_that_fails_leaves_nothing_of_any(bare: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with_files(monkeypatch, {"9998_more.sql": "CREATE TABLE more ()", "9999_bad.sql": "CREATE TABLE 1"})
    with pytest.raises(psycopg.errors.SyntaxError):
        migrate.migrate(bare)
    with bare.connect() as db:
        found: Any = db.execute(text("SELECT to_regnamespace('cvl')")).scalar()
    assert found is None


def test_a_database_of_a_newer_program_is_refused(bare: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        with_files(newer, {"9998_more.sql": "CREATE TABLE more ()"})
        migrate.migrate(bare)
    with pytest.raises(Refused, match="database_newer"):
        migrate.migrate(bare)


def test_a_database_without_its_schema_says_what_to_do(bare: Engine) -> None:
    with pytest.raises(Unreachable, match="not_initialised"), transaction(bare) as db:
        db.execute(text("SELECT * FROM act"))


def test_each_migration_says_why_and_what_it_locks() -> None:
    for name in sql.names("migrations"):
        head = sql.read(name).split("\n\n")[0]
        assert all(f"-- {word}:" in head for word in ("why", "locks", "verify")), name
        assert head.startswith(f"-- {name.rsplit('/', 1)[1][:4]}: ")


def test_the_login_needs_no_superuser(bare: Engine) -> None:
    migrate.migrate(bare)
    with bare.connect() as db:
        row = db.execute(text("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = session_user")).one()
    assert tuple(row) == (False, True)


def test_a_login_without_the_rights_is_told_which_and_how_to_get_them(server: Path, bare: Engine) -> None:
    login = f"clerk_{abs(hash(str(bare.url))) % 10**9}"
    clerk = make_engine(bare.url.set(username=login, password="x").render_as_string(hide_password=False))
    database = bare.url.database
    with _superuser(server) as root:
        root.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'x'".encode())
        try:
            with pytest.raises(Unreachable, match=r"not_initialised.*cvl init"), transaction(clerk):
                pass
            with pytest.raises(Unreachable, match=rf"login_rights.*GRANT CREATE ON DATABASE {database} TO {login}"):
                migrate.migrate(clerk)
            root.execute(f"ALTER ROLE {login} CREATEROLE".encode())
            root.execute(f"GRANT cvl_owner, cvl_app, cvl_auditor, cvl_provider TO {login}".encode())
            with pytest.raises(Unreachable, match=r"login_rights.*permission denied for database"):
                migrate.migrate(clerk)
            root.execute(f"GRANT CREATE ON DATABASE {database} TO {login}".encode())
            assert migrate.migrate(clerk) == [name.rsplit("/", 1)[1] for name in sql.names("migrations")]
        finally:
            clerk.dispose()
            root.execute(f"DROP OWNED BY {login}".encode())
            root.execute(f"DROP ROLE {login}".encode())

"""A database that tests use one after another: put back, its rows are again those of the template.

A connection to a new database starts with empty catalogue and plan caches; filling them costs more than most tests.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import LiteralString, cast

import psycopg
from psycopg import errors, sql
from sqlalchemy import Engine

USES = 60
"""Rows that were deleted stay in the files, so that a database is not used for ever."""
_DEFINITIONS = """
WITH class AS (SELECT oid, xmin, reltype FROM pg_class WHERE relnamespace = 'cvl'::regnamespace),
touched AS (
    SELECT xmin FROM class
    UNION ALL
    SELECT xmin FROM pg_attribute WHERE attrelid IN (SELECT oid FROM class)
    UNION ALL
    SELECT xmin FROM pg_trigger
    UNION ALL
    SELECT xmin FROM pg_constraint WHERE connamespace = 'cvl'::regnamespace
    UNION ALL
    SELECT xmin FROM pg_proc WHERE pronamespace = 'cvl'::regnamespace
    UNION ALL
    SELECT xmin FROM pg_namespace WHERE NOT starts_with(nspname, 'pg_')
)
SELECT format('%s rows, the newest of transaction %s', count(*), max(CAST(CAST(xmin AS text) AS bigint))) FROM touched
"""
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'cvl'::regnamespace AND relkind = 'r' ORDER BY relname"
_COLUMNS = """
SELECT attname FROM pg_attribute
WHERE attrelid = format('cvl.%%I', CAST(%s AS text))::regclass AND attnum > 0 AND attgenerated = '' AND NOT attisdropped
ORDER BY attnum
"""
_SEQUENCES = "SELECT relname FROM pg_class WHERE relnamespace = 'cvl'::regnamespace AND relkind = 'S' ORDER BY relname"
_LOCKS = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_RESTORE = """
CREATE FUNCTION kept.restore() RETURNS void LANGUAGE plpgsql
SET lock_timeout = '2s' SET session_replication_role = replica
AS $$ BEGIN {} END $$
"""


class Shelved:
    """One database and the function in it that makes it new again. url: the database, as superuser."""

    def __init__(self, engine: Engine, url: str) -> None:
        self.engine = engine
        self._root = psycopg.connect(url, autocommit=True)
        self._uses = 0
        self._remember()
        self._definitions = self._read(_DEFINITIONS)

    def renew(self) -> bool:
        """Make the database new again. Returns False when it cannot be: it was altered, is in use or too old."""
        self._uses += 1
        if self._uses == USES or self.engine.pool.checkedout() or self._read(_LOCKS):  # type: ignore[attr-defined]
            return False
        if self._read(_DEFINITIONS) != self._definitions:
            return False
        with suppress(errors.LockNotAvailable):
            self._root.execute("SELECT kept.restore()")
            return True
        return False

    def close(self) -> None:
        """Leave the database."""
        self.engine.dispose()
        self._root.close()

    def _read(self, statement: LiteralString) -> object:
        row = self._root.execute(statement).fetchone()
        assert row is not None
        return row[0]

    def _names(self, statement: LiteralString, *params: str) -> list[str]:
        return [cast(str, row[0]) for row in self._root.execute(statement, params or None).fetchall()]

    def _remember(self) -> None:
        """Keep a copy of each row there is, and a function that brings back just these."""
        self._root.execute("CREATE SCHEMA kept")
        steps: list[sql.Composable] = []
        for name in self._names(_TABLES):
            table, kept = sql.Identifier("cvl", name), sql.Identifier("kept", name)
            steps.append(sql.SQL("DELETE FROM {};").format(table))
            made = self._root.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(kept, table))
            if made.rowcount > 0:
                columns = sql.SQL(", ").join(map(sql.Identifier, self._names(_COLUMNS, name)))
                back = sql.SQL("INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM {2};")
                steps.append(back.format(table, columns, kept))
        for name in self._names(_SEQUENCES):
            row = self._root.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("cvl", name))).fetchone()
            assert row is not None
            steps.append(sql.SQL("PERFORM setval({}, {}, {});").format(f"cvl.{name}", row[0], row[2]))
        self._root.execute(sql.SQL(_RESTORE).format(sql.SQL("\n").join(steps)))


class Shelf:
    """Where the one database lies that is not in use. fresh: makes one more; drop: away with the one of a name."""

    def __init__(self, fresh: Callable[[], Shelved], drop: Callable[[str], None]) -> None:
        self._fresh, self._drop = fresh, drop
        self._kept: list[Shelved] = []

    def take(self) -> Shelved:
        """Take the database, or a fresh one."""
        return self._kept.pop() if self._kept else self._fresh()

    def put_back(self, shelved: Shelved) -> None:
        """Put a database back as new, or drop it."""
        if shelved.renew():
            self._kept.append(shelved)
            return
        shelved.close()
        self._drop(str(shelved.engine.url.database))

    def close(self) -> None:
        """Leave the database."""
        for shelved in self._kept:
            shelved.close()

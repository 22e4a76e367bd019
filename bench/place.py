"""Where the benchmark runs: a fresh embedded server, and clones of a prepared database on it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Engine, make_url

from voucher.database import make_engine
from voucher.embedded import running, superuser_url

TODAY = "2026-07-15"
"""The business day: the synthetic invoices end with June 2026."""
Raw = psycopg.Connection[tuple[Any, ...]]


@dataclass(slots=True)
class Place:
    """A running server. home: its CVL_HOME, where the files lie too. url: of the first database."""

    home: Path
    url: str
    made: list[str] = field(default_factory=list)

    def clone(self, pattern: str, name: str) -> str:
        """Copy a database that nobody is connected to; return the copy's name."""
        with self.root("postgres") as root:
            root.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                    sql.Identifier(name), sql.Identifier(pattern)
                )
            )
            root.execute(
                sql.SQL("GRANT CREATE, TEMPORARY, CONNECT ON DATABASE {} TO cvl_login").format(sql.Identifier(name))
            )
        return name

    def drop(self, name: str) -> None:
        """Drop a database."""
        with self.root("postgres") as root:
            root.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def settle(self) -> None:
        """Write out what earlier work left behind, so that the next measurement does not pay for it."""
        with self.root("postgres") as root:
            root.execute("CHECKPOINT")

    @contextmanager
    def engine(self, name: str) -> Iterator[Engine]:
        """Open a database as the program does."""
        engine = make_engine(make_url(self.url).set(database=name).render_as_string(hide_password=False))
        try:
            yield engine
        finally:
            engine.dispose()

    @contextmanager
    def root(self, name: str) -> Iterator[Raw]:
        """Open a database as the superuser, each statement a transaction of its own."""
        url = make_url(superuser_url(self.home)).set(database=name).render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection


@contextmanager
def place() -> Iterator[Place]:
    """Start a fresh server with default settings in a temporary home; nothing of it is left behind."""
    with tempfile.TemporaryDirectory(prefix="cvl-bench-", ignore_cleanup_errors=True) as folder:
        os.environ |= {"CVL_HOME": folder, "CVL_TODAY": TODAY}
        for name in ("CVL_DATABASE_URL", "CVL_PG_OPTIONS", "CVL_USER"):
            os.environ.pop(name, None)
        with running(Path(folder)) as url:
            yield Place(Path(folder), url)

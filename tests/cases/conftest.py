"""The database player needs the server of the other database tests."""

from tests.postgres.conftest import clone, db_engine, server, shelves, today, users  # noqa: F401

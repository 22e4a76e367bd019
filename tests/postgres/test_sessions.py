"""Settings of a login or server change nothing that is booked, and what a server refuses is said for what it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, Engine, make_url, text

from tests.postgres.conftest import _drop_database, _superuser
from voucher import access, acts, migrate
from voucher.database import make_engine, run
from voucher.embedded import running
from voucher.errors import Busy, CvlError, Refused, Unreachable


@contextmanager
def begun_with(engine: Engine, **settings: str) -> Iterator[Engine]:
    """Give an engine on the same database whose sessions begin with these settings, as those of a role may."""
    options = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in settings.items())
    other = make_engine(engine.url.update_query_dict({"options": options}).render_as_string(hide_password=False))
    try:
        yield other
    finally:
        other.dispose()


def names(engine: Engine) -> list[str]:
    """List the users."""
    return list(run(engine, lambda db: db.exec_driver_sql("SELECT name FROM app_user").scalars().all()))


def test_no_setting_of_the_login_changes_what_is_read_or_written(db_engine: Engine) -> None:
    def work(db: Connection) -> object:
        shown = db.execute(text("SELECT interval '1 day 2 hours' AS long, (SELECT count(*) FROM upload)")).one()
        return str(db.execute(text("SELECT max(recorded_at) FROM seal")).scalar_one()), tuple(shown), acts.last(db)

    with begun_with(
        db_engine, datestyle="German", intervalstyle="sql_standard", timezone="America/Los_Angeles", row_security="off"
    ) as odd:
        assert run(odd, work) == run(db_engine, work)
        run(odd, lambda db: access.add(db, "admin1", "经办丁", "maker"))
        assert run(odd, work) == run(db_engine, work)


def test_acts_read_what_is_committed_whatever_the_login_begins_with(db_engine: Engine) -> None:
    with begun_with(db_engine, default_transaction_isolation="repeatable read") as odd:
        assert run(odd, lambda db: db.exec_driver_sql("SHOW transaction_isolation").scalar_one()) == "read committed"


@pytest.mark.parametrize("encoding", ["GBK", "SQL_ASCII"])
def test_the_encoding_of_the_environment_is_not_that_of_the_books(
    db_engine: Engine, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", encoding)
    engine = make_engine(db_engine.url.render_as_string(hide_password=False))
    try:
        assert run(engine, lambda db: access.add(db, "admin1", "重庆𬭎图", "maker")).name in names(engine)
    finally:
        engine.dispose()
    assert "重庆𬭎图" in names(db_engine)


@pytest.mark.parametrize(
    ("setting", "statement", "code"),
    [
        ({"default_transaction_read_only": "on"}, "CREATE TABLE x ()", "read_only"),
        ({"statement_timeout": "50"}, "SELECT pg_sleep(9)", "time_limit"),
        ({}, "DO $$ BEGIN RAISE 'full' USING ERRCODE = '53100'; END $$", "no_space"),
        ({}, "DO $$ BEGIN RAISE 'idle' USING ERRCODE = '25P03'; END $$", "time_limit"),
        ({}, "DO $$ BEGIN RAISE 'conflict' USING ERRCODE = '40001'; END $$", "busy"),
        ({}, "DO $$ BEGIN RAISE 'deadlock' USING ERRCODE = '40P01'; END $$", "busy"),
    ],
)
def test_what_the_server_refuses_is_said_for_what_it_is(
    db_engine: Engine, setting: dict[str, str], statement: str, code: str
) -> None:
    with begun_with(db_engine, **setting) as engine, pytest.raises(CvlError) as refused:
        run(engine, lambda db: db.exec_driver_sql(statement))
    assert refused.value.code == code
    assert isinstance(refused.value, Busy if code == "busy" else Unreachable)
    assert "无法连接" not in refused.value.message


def test_a_database_that_cannot_hold_every_name_is_refused_before_anything_is_made(server: Path) -> None:
    name = "not_utf8"
    with _superuser(server) as root, running(server) as url:
        _drop_database(root, name)
        root.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII'".encode())
        root.execute(f"GRANT CREATE ON DATABASE {name} TO cvl_login".encode())
        engine = make_engine(make_url(url).set(database=name).render_as_string(hide_password=False))
        try:
            with pytest.raises(Refused, match="ENCODING 'UTF8'"):
                migrate.migrate(engine)
        finally:
            engine.dispose()
            _drop_database(root, name)


def test_a_server_that_no_longer_answers_is_given_up_unless_the_address_says_otherwise(db_engine: Engine) -> None:
    def limit(engine: Engine) -> str | None:
        with engine.connect() as db:
            session = db.connection.driver_connection
            assert isinstance(session, psycopg.Connection)
            return session.info.get_parameters().get("tcp_user_timeout")

    patient = make_engine(str(db_engine.url.update_query_dict({"tcp_user_timeout": "7000"}).render_as_string(False)))
    try:
        assert (limit(db_engine), limit(patient)) == ("120000", "7000")
    finally:
        patient.dispose()

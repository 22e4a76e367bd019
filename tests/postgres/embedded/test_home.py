"""What a home of the embedded server holds: the cluster, its roles, passwords, sockets and log."""

import os
import re
import stat
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from tests.postgres.embedded.programs import alive, ask, do, socket_folder
from voucher import embedded_binaries, embedded_site
from voucher.embedded import bin_dir, home_dir, running, superuser_url


def test_a_new_home_gets_a_server_whose_login_owns_nothing_and_which_is_gone_afterwards(fresh: Path) -> None:
    with running(fresh) as url:
        assert ask(url, "SELECT current_user || '@' || current_database()") == "cvl_login@cvl"
        owns = "SELECT count(*) FROM pg_shdepend WHERE refobjid = to_regrole('cvl_login') AND deptype = 'o'"
        assert ask(url, owns) == 0
        assert alive(fresh)
        assert (socket_folder(url) / ".s.PGSQL.5432").is_socket()
    assert not alive(fresh)
    assert not socket_folder(url).exists()


def test_the_data_of_one_use_are_there_in_the_next(home: Path) -> None:
    with running(home) as url:
        do(url, "CREATE TABLE kept AS SELECT 7 AS n")
    with running(home) as url:
        assert ask(url, "SELECT n FROM kept") == 7


def test_the_login_makes_roles_schemas_and_tables_but_is_no_superuser(home: Path) -> None:
    with running(home) as url, psycopg.connect(url, autocommit=True) as db:
        rights = db.execute(
            "SELECT rolsuper, rolcreatedb, rolreplication, rolbypassrls, rolcreaterole FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
        assert rights == (False, False, False, False, True)
        db.execute("CREATE ROLE some_owner NOLOGIN")
        db.execute("GRANT some_owner TO cvl_login")
        db.execute("GRANT CREATE ON DATABASE cvl TO some_owner")
        db.execute("GRANT CREATE, USAGE ON SCHEMA public TO some_owner")
        db.execute("SET ROLE some_owner")
        db.execute("CREATE SCHEMA books CREATE TABLE books.one (n int)")
        db.execute("CREATE TABLE public.two (n int)")
        db.execute("CREATE TEMP TABLE three (n int)")
        db.execute("RESET ROLE")
        db.execute("DROP OWNED BY some_owner")
        db.execute("DROP ROLE some_owner")


def test_the_cluster_is_utf8_in_c_order_with_checksums_and_only_passwords(home: Path) -> None:
    with running(home) as url:
        url = superuser_url(home)
        wanted = {
            "server_encoding": "UTF8",
            "data_checksums": "on",
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "password_encryption": "scram-sha-256",
            "TimeZone": "UTC",
            "jit": "off",
            "max_wal_size": "4GB",
        }
        assert {name: ask(url, f"SHOW {name}") for name in wanted} == wanted
        assert ask(url, "SELECT datcollate || datctype FROM pg_database WHERE datname = 'cvl'") == "CC"
        assert ask(url, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules") == "scram-sha-256"
        assert ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
        wrong = re.sub(r":[^:@/]+@", ":wrong@", url)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(wrong)


def test_without_options_the_server_syncs_and_takes_an_eighth_of_the_memory(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CVL_PG_OPTIONS")
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(embedded_site, "_MEMORY_LIMITS", (str(limit), str(tmp_path / "none")))
    sizes = {}
    for said in ("1073741824", "100000000", "1" + "0" * 18, "max"):
        limit.write_text(f"{said}\n")
        sizes[said] = embedded_site.shared_buffers()
    assert sizes["1073741824"] == "128MB"
    assert sizes["100000000"] == "64MB"
    assert sizes["max"] == sizes["1" + "0" * 18]
    limit.write_text("1073741824\n")
    with running(home):
        assert ask(superuser_url(home), "SHOW fsync") == "on"
        assert ask(superuser_url(home), "SHOW shared_buffers") == "128MB"


def test_passwords_and_sockets_are_private(home: Path) -> None:
    with running(home) as url:
        files = sorted((home / "postgres").glob("password.*"))
        assert [file.name for file in files] == ["password.cvl_login", "password.postgres"]
        assert len({file.read_text() for file in files}) == 2
        private = [*files, home / "postgres/server.log"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
        folders = [socket_folder(url), home / "postgres", home / "postgres/data"]
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


def test_the_environment_of_the_caller_changes_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as broken:
        for library in ("libz.so.1", "libm.so.6"):
            Path(broken, library).touch()
        Path(broken).chmod(0o755)
        for name, value in {
            "LD_LIBRARY_PATH": broken,
            "LC_ALL": "zh_CN.UTF-8",
            "TZ": "Asia/Shanghai",
            "PGPORT": "1",
            "PGHOST": "nowhere",
            "PGDATA": "/nowhere",
            "PGDATABASE": "nowhere",
            "TMPDIR": "/nowhere",
        }.items():
            monkeypatch.setenv(name, value)
        with running(home) as url:
            assert ask(url, "SHOW timezone") == "UTC"


@pytest.mark.parametrize("name", ['spa ce,com"ma', "算力券$HOME`x`'\\", "l" * 90])
def test_any_name_of_a_home_works(home: Path, name: str) -> None:
    other = home.parent / name
    home.rename(other)
    try:
        with running(other) as url:
            assert ask(url) == 1
            assert len(os.fsencode(socket_folder(url) / ".s.PGSQL.5432")) <= 107
        assert not alive(other)
        assert not socket_folder(url).exists()
    finally:
        other.rename(home)


def test_the_log_stays_small_while_the_server_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = home / "postgres/server.log"
    monkeypatch.setattr(embedded_site, "_LOG_BYTES", 100_000)
    with running(home) as url:
        with log.open("ab") as more:
            more.write(b"x" * 200_000 + b"the end\n")
        with running(home):
            assert log.stat().st_size == 0
        with pytest.raises(psycopg.errors.UndefinedTable):
            ask(url, "SELECT 'secret' FROM nowhere")
    assert b"\0" not in log.read_bytes()  # the server appends, it does not write at its old place
    assert b"secret" not in log.read_bytes()
    kept = home / "postgres/server.log.1"
    assert kept.read_bytes().endswith(b"the end\n")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_home_is_the_named_one_or_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_HOME", "/some/where")
    assert home_dir() == Path("/some/where")
    monkeypatch.setenv("CVL_HOME", "")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert home_dir() == Path("/var/lib/compute-voucher-ledger")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/x")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert home_dir() == Path("/home/x/.local/share/compute-voucher-ledger")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert home_dir() == Path("/data/compute-voucher-ledger")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert home_dir() == Path("/home/x/Library/Application Support/compute-voucher-ledger")


def test_the_programs_are_the_named_ones_or_the_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CVL_PG_BIN", raising=False)
    assert embedded_binaries.major_version(bin_dir()) == 18
    assert (bin_dir() / "pg_dump").exists()

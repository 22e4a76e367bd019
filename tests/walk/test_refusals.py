"""What goes wrong at the operator's door: exit statuses, one JSON document, plain Chinese."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from console import basics
from console.main import build, main
from console.verbs import WORDS, verbs
from tests.postgres.conftest import _copy_database, _drop_database, _superuser
from tests.walk.conftest import ROOT, Desk, line
from voucher import access, database

CHINESE = re.compile(r"[一-鿿]")
_WAITING = """
SELECT count(*) FROM pg_locks AS w INNER JOIN pg_locks AS h ON h.pid = w.pid
INNER JOIN pg_database AS d ON d.oid = h.database AND d.datname = current_database() WHERE NOT w.granted
"""
ENGLISH = re.compile(r"Usage|Options|Commands|Error|Invalid|Missing|No such|Show this|Try |Got unexpected")


def _commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path}{name} ")


PATHS = [path for path, _ in _commands(build(verbs()))]


@pytest.mark.parametrize("path", ["", *PATHS])
def test_every_help_page_is_chinese(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*path.split(), "--help"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("用法：cvl")
    assert "显示本说明" in page or "--help" in page
    assert not ENGLISH.search(page), page


def test_every_command_but_help_takes_json() -> None:
    plain = [
        path
        for path, command in _commands(build(verbs()))
        if not isinstance(command, click.Group) and not any("--json" in param.opts for param in command.params)
    ]
    assert not plain


def test_every_first_word_loads_its_commands_and_no_others() -> None:
    for word in {word.split(" ")[0] for word in WORDS}:
        mine = [verb for verb in verbs(word) if verb.path.split(" ")[0] == word]
        assert mine
        assert mine == [verb for verb in verbs() if verb.path.split(" ")[0] == word]
    assert {path if (path := verb.path) in WORDS else path.split(" ")[0] for verb in verbs()} == set(WORDS)


def test_the_page_of_all_commands_loads_no_driver_and_no_door() -> None:
    asked = (
        "import sys; from console.main import main; main(['--help']);"
        " print([name for name in ('sqlalchemy', 'psycopg', 'lxml', 'console.audit') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, check=True)
    assert said.stdout.splitlines()[-1] == b"[]"


def test_every_acting_command_stands_in_the_table_of_roles() -> None:
    acting = {verb.path for verb in verbs() if verb.acting}
    same = {"settle approve": "approve", "settle reject": "reject"}
    assert {same.get(path, path) for path in acting} <= set(access.COMMANDS)


@pytest.mark.parametrize(
    "words",
    [
        "", "sttle", "settle", "settle drft", "user add", "user add x --rol maker", "user add x --role boss",
        "settle draft --through 2026-13", "settle show x", "balance a b", "import", "user add x --role",
        "budget appropriate --year 26 --amount 1 --ref x", "budget appropriate --year 2026 --amount 1,2 --ref x",
        "user add x", "settle reject 1", "reject 1", "voucher issue",
        "invoice list --status foo", "import x --received-on 2026-02-30", "explain 2650\udcb2", "reject 1 --why \udcb2",
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_exit_2_in_chinese(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 2
    said = capsys.readouterr()
    assert not said.out
    assert CHINESE.search(said.err)
    assert not ENGLISH.search(said.err), said.err


def test_a_wrong_command_line_with_json_is_one_document(desk: Desk) -> None:
    assert desk.data("user", "add", status=2)["error"]["code"] == "usage"
    assert desk.data("report", status=2)["error"]["code"] == "which_report"
    assert desk.data("report", "foo", "--period", "2026-08", status=2)["error"]["code"] == "no_report"


def test_an_acting_command_without_a_person_is_exit_2(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = ("settle", "draft", "--through", "2026-07")
    assert desk.data(*draft, status=2)["error"]["code"] == "who"
    monkeypatch.setenv("CVL_USER", "maker1")
    desk.data(*draft)
    assert desk.data(*draft, "--as", "nobody", status=1)["error"]["code"] == "unknown_user"
    assert desk.data(*draft, "--as", "system", status=1)["error"]["code"] == "unknown_user"


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("checker1", "settle draft --through 2026-07"), ("auditor1", "import x.csv"), ("admin1", "approve 1"),
        ("maker1", "approve 1"), ("maker1", "user add x --role maker"), ("maker1", "settle approve 1"),
        ("checker1", "voucher issue --year 2026"), ("admin1", "budget appropriate --year 2026 --amount 1 --ref x"),
        ("auditor1", "registry import x.csv"),
    ],
)  # fmt: skip
def test_who_may_not_is_refused(desk: Desk, who: str, words: str) -> None:
    assert desk.data(*words.split(), "--as", who, status=1)["error"]["code"] == "not_allowed"


def test_refusals_are_chinese_sentences_on_standard_error(desk: Desk) -> None:
    for words in ("settle show 99", "approve 99 --as checker1", "voucher show 9", "invoice show 1", "explain 1"):
        result = desk.cvl(*words.split())
        assert (result.status, result.out) == (1, "")
        assert CHINESE.search(result.err)
        assert result.err.rstrip().endswith("。")


def test_too_little_money_is_refused_with_the_gap(desk: Desk) -> None:
    desk.registered(yuan="100.00")
    desk.data("import", desk.file([line("a", "1000.00")]), "--as", "maker1")
    run = desk.data("settle", "draft", "--through", "2026-07", "--as", "maker1")["run"]
    refused = desk.data("settle", "submit", run, "--as", "maker1", status=1)["error"]
    assert refused["code"] == "over_budget"
    assert "100.00" in refused["message"]


def test_a_run_is_decided_once_and_by_what_was_seen(office: Desk) -> None:
    office.data("import", office.file([line("a")]), "--as", "maker1")
    run = office.data("settle", "draft", "--through", "2026-07", "--as", "maker1")["run"]
    assert office.data("settle", "approve", run, "--as", "checker1", status=1)["error"]["code"] == "not_submitted"
    assert office.data("settle", "submit", run, "--as", "maker2", status=1)["error"]["code"] == "not_yours"
    office.data("settle", "submit", run, "--as", "maker1")
    wrong = office.data("settle", "approve", run, "--digest", "0" * 16, "--as", "checker1", status=1)
    assert wrong["error"]["code"] == "digest_differs"
    opened = office.data("settle", "draft", "--through", "2026-07", "--as", "maker2", status=1)
    assert opened["error"]["code"] == "run_open"
    assert office.data("settle", "reject", run, "--as", "checker1", status=2)["error"]["code"] == "usage"
    assert office.data("settle", "reject", run, "--why", "重做", "--as", "checker1")["state"] == "rejected"
    assert office.data("settle", "approve", run, "--as", "checker1", status=1)["error"]["code"] == "decided"
    assert [each["state"] for each in office.data("settle", "list")["runs"]] == ["rejected"]


def test_a_lock_that_is_not_had_is_exit_4(office: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT", "300ms")
    with database.transaction(office.engine) as db:
        database.query(db, "queries/policy/lock_programme.sql", programme_id="cq-2025-12-08")
        busy = office.data("settle", "draft", "--through", "2026-07", "--as", "maker1", status=4)
    assert busy["error"]["code"] == "busy"


def test_changed_books_are_exit_5_and_the_act_is_named(office: Desk) -> None:
    office.data("import", office.file([line("a")]), "--as", "maker1")
    office.settled()
    with database.transaction(office.engine, "cvl_owner") as db:
        db.exec_driver_sql("ALTER TABLE transfer DISABLE TRIGGER append_only")
        db.exec_driver_sql(
            "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE run_id IS NOT NULL AND transfer_no > 1"
        )
    found = office.data("reconcile", status=5)
    assert not found["ok"]
    assert found["first_wrong_act"] == str(office.seals())
    assert f"第 {office.seals()} 号" in office.cvl("reconcile").out


def test_no_database_is_exit_6(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CVL_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert desk.data("user", "list", status=6)["error"]["code"] == "unreachable"
    assert not desk.data("doctor", status=1)["ok"]
    monkeypatch.setenv("CVL_DATABASE_URL", "no address")
    assert desk.data("user", "list", status=6)["error"]["code"] == "bad_url"
    monkeypatch.delenv("CVL_DATABASE_URL")
    monkeypatch.setenv("CVL_HOME", str(tmp_path / "nothing"))
    missing = desk.data("user", "list", status=6)["error"]
    assert missing["code"] == "not_initialised"
    assert "cvl init" in missing["message"]
    assert not (tmp_path / "nothing").exists()


def test_a_database_without_our_tables_says_to_run_init(
    desk: Desk, server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = f"{desk.engine.url.database}_empty"
    with _superuser(server) as root:
        _copy_database(root, empty, "template1")
    url = desk.engine.url.set(database=empty).render_as_string(hide_password=False)
    monkeypatch.setenv("CVL_DATABASE_URL", url)
    refused = desk.data("settle", "list", status=6)["error"]
    assert refused["code"] == "not_initialised"
    assert "cvl init" in refused["message"]
    assert desk.data("init")["created"]
    first = desk.data("user", "add", "first1", "--role", "maker", status=1)["error"]
    assert first["code"] == "first_admin"
    desk.data("user", "add", "first1", "--role", "admin")
    assert desk.data("user", "add", "second1", "--role", "maker", status=2)["error"]["code"] == "who"
    with _superuser(server) as root:
        _drop_database(root, empty)


def test_init_again_changes_nothing(desk: Desk) -> None:
    desk.data("init")
    before = desk.seals()
    again = desk.data("init")
    assert (again["created"], again["migrations"], again["policies"]) == (False, [], [])
    assert desk.seals() == before
    assert "未作任何改动" in desk.cvl("init").out


def test_doctor_is_content_with_a_ledger(desk: Desk) -> None:
    told = desk.data("doctor")
    assert told["ok"]
    assert {each["name"] for each in told["findings"]} >= {"Python", "数据库服务", "封存链", "用户", "上传限制"}


def test_a_portal_that_has_no_address_gives_no_password_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.serve.serve", lambda *_: pytest.fail("it serves"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for words, status, said in ((("--port", port), 1, "不能在 "), (("--port", 70000), 2, "没有端口 ")):
            refused = desk.cvl("serve", *words)
            assert refused.status == status
            assert said in refused.err
            assert "口令" not in refused.err


def test_doctor_sees_that_nothing_can_be_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody, root not either, writes into a folder of the kernel."""
    monkeypatch.setenv("CVL_HOME", "/proc/sys")
    [folder] = [each for each in desk.data("doctor", status=1)["findings"] if each["name"] == "数据目录"]
    assert "不能写入" in folder["mend"]


def test_what_nobody_expected_is_exit_70(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(basics.acts, "last", broken)
    result = desk.cvl("doctor", "--json")
    assert (result.status, result.json["error"]["code"]) == (70, "unexpected")
    assert "Traceback" not in result.err
    monkeypatch.setenv("CVL_DEBUG", "1")
    assert "Traceback" in desk.cvl("doctor").err


def test_a_reader_that_goes_away_is_no_error(desk: Desk) -> None:
    process = desk.start("policy", "show")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.wait(timeout=30) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_who_stops_a_command_before_it_has_begun_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.main.verbs", lambda _: signal.raise_signal(signal.SIGINT))
    assert main(["balance"]) == 130


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stopped_command_ends_cleanly(office: Desk, number: signal.Signals, status: int) -> None:
    """Hold the lock it needs, so that it waits, and stop it then."""
    with database.transaction(office.engine) as db:
        database.query(db, "queries/policy/lock_programme.sql", programme_id="cq-2025-12-08")
        process = office.start("settle", "draft", "--through", "2026-07", "--as", "maker1")
        _until_waiting(office)
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == status, (out, err)
    assert "Traceback" not in err


def _until_waiting(desk: Desk) -> None:
    """Wait until somebody waits for a lock in this ledger; others on the server wait for theirs."""
    with database.transaction(desk.engine) as db:
        while not db.exec_driver_sql(_WAITING).scalar():
            db.exec_driver_sql("SELECT pg_sleep(0.05)")


def test_a_policy_file_is_checked_without_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_HOME", str(tmp_path / "nothing"))
    monkeypatch.delenv("CVL_DATABASE_URL", raising=False)
    shipped = ROOT / "settlement/policies/cq-2025-12-08.1.toml"
    good = subprocess.run([sys.executable, "-m", "console", "policy", "check", shipped], cwd=ROOT, capture_output=True)
    assert good.returncode == 0
    bad = tmp_path / "bad.toml"
    bad.write_text(shipped.read_text("utf-8").replace("value = 2000", "value = 20001"), encoding="utf-8")
    assert main(["policy", "check", str(bad)]) == 1


def test_every_number_of_the_policy_is_cited_or_assumed(desk: Desk) -> None:
    shown = desk.data("policy", "show")
    assert all(each["article"] or each["assumed"] for each in shown["parameters"])
    by_name = {each["name"]: each for each in shown["parameters"]}
    assert (by_name["rate_bp"]["value"], by_name["annual_cap_fen"]["value"]) == (2000, "1000000.00")
    assert "每年最高100万元" in by_name["annual_cap_fen"]["article"]
    assert by_name["claim_deadline"]["assumed"]
    assert len(desk.data("policy", "list")["policies"]) == 1

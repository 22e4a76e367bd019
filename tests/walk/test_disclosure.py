"""公示 and objections, through the command line."""

import pytest

from tests.postgres.desk import real
from tests.walk.conftest import Desk, line


@pytest.fixture
def run(desk: Desk) -> str:
    """Give an approved run of two invoices of C and one of D."""
    desk.registered()
    desk.data("import", desk.file([line("a"), line("b"), line("d", buyer="D")]), "--as", "maker1")
    return desk.settled()


def test_a_run_is_disclosed_for_full_working_days(desk: Desk, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = desk.data("disclose", run, "--from", "2026-08-14", "--as", "maker1", status=1)
    assert refused["error"]["code"] == "too_early"
    made = desk.data("disclose", run, "--as", "maker1")
    assert (made["from"], made["working_days"], made["until"], made["over"]) == ("2026-08-15", 5, "2026-08-21", False)
    assert desk.data("disclose", run, "--as", "maker1") == made
    assert desk.data("disclose", run, "--from", "2026-08-15", "--as", "maker1") == made
    other = desk.data("disclose", run, "--from", "2026-08-17", "--as", "maker1", status=1)
    assert other["error"]["code"] == "already_disclosed"
    monkeypatch.setenv("CVL_TODAY", "2026-08-21")
    assert desk.data("disclose", run, "--as", "maker1")["over"] is False
    monkeypatch.setenv("CVL_TODAY", "2026-08-22")
    assert desk.data("disclose", run, "--as", "maker1")["over"] is True
    assert desk.data("reconcile")["ok"]


def test_the_list_holds_names_and_no_numbers(desk: Desk, run: str) -> None:
    shown = desk.data("disclose", run, "--as", "maker1")
    told = [(each["invoices"], each["basis"], each["granted"]) for each in shown["lines"]]
    assert sorted(told) == [(1, "1000.00", "200.00"), (2, "2000.00", "400.00")]
    assert set(shown["lines"][0]) == {"company_name", "cap_year", "invoices", "basis", "granted"}
    text = desk.cvl("disclose", run, "--as", "maker1").out
    assert real("a") not in text
    assert line("a")["用方统一社会信用代码"] not in text


def test_a_year_without_a_calendar_is_refused(desk: Desk, run: str) -> None:
    refused = desk.data("disclose", run, "--from", "2026-12-29", "--as", "maker1", status=1)
    assert refused["error"]["code"] == "calendar_missing"
    assert desk.data("disclose", run, "--from", "2026-12-24", "--as", "maker1")["until"] == "2026-12-31"


def test_only_an_approved_run_is_disclosed(office: Desk) -> None:
    office.data("import", office.file([line("a")]), "--as", "maker1")
    draft = office.data("settle", "draft", "--through", "2026-07", "--as", "maker1")["run"]
    assert office.data("disclose", draft, "--as", "maker1", status=1)["error"]["code"] == "not_approved"
    assert office.data("disclose", "99", "--as", "maker1", status=1)["error"]["code"] == "no_run"


def test_an_objection_is_raised_released_and_raised_again(desk: Desk, run: str) -> None:
    about = ("object", run, real("a"), "--as", "maker1", "--why")
    assert desk.data(*about, "合同存疑", status=1)["error"]["code"] == "not_disclosed"
    desk.data("disclose", run, "--as", "maker1")
    assert desk.data(*about, "合同存疑", "--lift", status=1)["error"]["code"] == "no_objection"
    assert desk.data(*about, " ", status=2)["error"]["code"] == "why"
    first = desk.data(*about, "合同存疑")
    assert desk.data(*about, "合同存疑") == first
    assert desk.data(*about, "另一理由", status=1)["error"]["code"] == "objection_open"
    assert desk.data(*about, "核实无误", "--lift")["state"] == "released"
    assert desk.data(*about, "核实无误", "--lift")["act"] == first["act"]
    assert desk.data(*about, "另一说法", "--lift", status=1)["error"]["code"] == "no_objection"
    assert desk.data(*about, "合同存疑")["act"] != first["act"]
    stranger = desk.data("object", run, real("x"), "--why", "存疑", "--as", "maker1", status=1)
    assert stranger["error"]["code"] == "no_line"
    shown = desk.data("disclose", run, "--as", "maker1")["objections"]
    assert [each["state"] for each in shown] == ["released", "open"]
    refusal = ("refuse", real("a"), "--as", "maker1")
    assert desk.data(*refusal, status=2)["error"]["code"] == "why"
    asked = desk.data(*refusal, "--why", "查实", "--year", "2026")
    told = desk.data("approve", asked["act"], "--as", "checker1")
    assert told["refused"]
    assert desk.data("approve", asked["act"], "--as", "checker1") == told
    assert desk.data(*refusal, "--lift")["refused"] is False
    assert desk.data("reconcile")["ok"]

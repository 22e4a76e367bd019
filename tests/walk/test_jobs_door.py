"""`cvl jobs` at the door, and the scheduler as a process."""

import json
import signal

import pytest

from tests.walk.conftest import Desk


def test_a_job_is_run_by_hand_once_and_listed(desk: Desk) -> None:
    names = {each["name"]: each for each in desk.data("jobs", "list")["jobs"]}
    assert names["seal_check"]["state"] is None
    assert names["seal_check"]["due"] == ["2026-08-15"]
    tried = desk.data("jobs", "run", "seal_check", "--dry-run", "--as", "admin1")
    assert (tried["state"], tried["fresh"]) == ("done", True)
    for fresh in (True, False):
        ran = desk.data("jobs", "run", "seal_check", "--as", "admin1")
        assert (ran["slot"], ran["state"], ran["fresh"]) == ("2026-08-15", "done", fresh)
    listed = {each["name"]: each for each in desk.data("jobs", "list")["jobs"]}["seal_check"]
    assert (listed["slot"], listed["state"], listed["due"]) == ("2026-08-15", "done", [])
    assert "封存复核" in desk.cvl("jobs", "list").out
    for words, status, code in (
        (("nothing",), 2, "no_job"),
        (("seal_check", "--slot", "2026-08"), 2, "bad_slot"),
        (("month_end", "--slot", "2026-09"), 1, "not_due"),
    ):
        assert desk.data("jobs", "run", *words, "--as", "admin1", status=status)["error"]["code"] == code
    assert desk.data("jobs", "run", "seal_check", "--as", "auditor1", status=1)["error"]["code"] == "not_allowed"


def test_the_scheduler_catches_up_at_start_logs_and_stops_when_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CVL_LOG", "json")
    process = desk.start("jobs", "start", "--json")
    assert process.stderr is not None
    entry = json.loads(process.stderr.readline())
    assert entry["run"] == "backup/2026-08-15"
    assert entry["user"] == "scheduler"
    while entry["run"] != "voucher_expiry/2026-08":
        entry = json.loads(process.stderr.readline())
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert json.loads(out)["ran"] >= 6
    assert "没有到期的任务" in desk.cvl("jobs", "start", "--once").out


def test_the_doctor_tells_of_failed_jobs(desk: Desk) -> None:
    desk.cvl("jobs", "start", "--once")
    found = {each["name"]: each for each in desk.data("doctor", status=0)["findings"]}
    assert found["定时任务"]["ok"]
    assert "2026-08-15" in found["备份"]["found"]
    assert not found["审计包"]["mend"]
    with desk.engine.begin() as db:
        db.exec_driver_sql("UPDATE cvl.job_slot SET state = 'failed' WHERE job = 'seal_check'")
    found = {each["name"]: each for each in desk.data("doctor", status=1)["findings"]}
    assert "seal_check" in found["定时任务"]["mend"]

"""`cvl audit` at the door: what it writes, what it says, and its exit status."""

import gc
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.walk.conftest import ROOT, Desk, line
from tests.walk.desk import full_after


def test_a_bundle_is_exported_as_an_act_and_verified_without_a_database(office: Desk) -> None:
    office.data("import", office.file([line("a"), line("b", "5.00")]), "--as", "maker1")
    office.settled()
    report = office.folder / "r.json"
    office.data("report", "reconciliation", "--period", "2026-07", "--format", "json", "--out", report)
    before, out = office.seals(), office.folder / "审计包.zip"
    told = office.data("audit", "export", "--out", out, "--as", "auditor1")
    assert (told["since"], told["until"], office.seals()) == ("0", str(before), before + 1)
    assert told["chain_sha256"] in report.read_text("utf-8")
    again = office.folder / "again.zip"
    assert office.data("audit", "export", "--out", again, "--until", before, "--as", "auditor1") == told | {
        "out": str(again)
    }
    assert office.seals() == before + 1
    assert again.read_bytes() == out.read_bytes()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CVL_")} | {
        "CVL_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "PYTHONIOENCODING": "utf-8",
    }  # fmt: skip
    words = [sys.executable, "-m", "console", "audit", "verify", str(out), "--expect", told["chain_sm3"], "--json"]
    found = subprocess.run(
        words, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, env=environment, check=True
    )
    said = json.loads(found.stdout)
    assert (said["ok"], said["expected_act"], said["derived"]["runs"]) == (True, str(before), 1)
    # what was done since then goes on from there
    later = office.folder / "later.zip"
    more = office.data("audit", "export", "--out", later, "--since", told["chain_sha256"], "--as", "auditor1")
    assert (more["since"], more["until"]) == (str(before), str(before + 1))
    assert office.data("audit", "verify", later, status=3)["partial"]
    assert office.data("audit", "verify", later, out)["until"] == str(before + 1)
    assert office.cvl("audit", "verify", out, later).status == 0


def test_refusals_leave_no_file_and_no_act(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    before, out = desk.seals(), desk.folder / "out.zip"
    for words, code, status in (
        (("--out", out), "who", 2),
        (("--out", out, "--as", "nobody"), "unknown_user", 1),
        (("--out", out, "--since", "0" * 64, "--as", "auditor1"), "no_digest", 1),
        (("--out", out, "--until", "999", "--as", "auditor1"), "no_cutoff", 1),
        (("--out", desk.folder, "--as", "auditor1"), "cannot_write", 1),
        (("--out", desk.file([], "x") / "y.zip", "--as", "auditor1"), "cannot_write", 1),
    ):
        assert desk.data("audit", "export", *words, status=status)["error"]["code"] == code, words
    muttered: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", muttered.append)
    for name, day in (("old", 0), ("new", time.time())):
        os.utime(desk.bytes(b"", f".cvl-part-{name}"), (day, day))
    with full_after(4000):
        full = desk.data("audit", "export", "--out", out, "--as", "auditor1", status=1)
    gc.collect()
    assert (full["error"]["code"], muttered) == ("cannot_write", [])
    assert desk.seals() == before
    assert sorted(path.name for path in desk.folder.iterdir()) == [".cvl-part-new", "x"]


def test_a_changed_bundle_is_exit_5_with_its_first_place(desk: Desk) -> None:
    out = desk.folder / "out.zip"
    desk.data("audit", "export", "--out", out, "--as", "auditor1")
    data = bytearray(out.read_bytes())
    place = data.index(b"@app_user\nmaker1|maker")
    data[place + 12] ^= 1
    out.write_bytes(data)
    with zipfile.ZipFile(out) as archive:
        wrong = archive.testzip()
    assert desk.data("audit", "verify", out, status=5)["first_wrong"] == wrong
    said = desk.cvl("audit", "verify", out)
    assert said.status == 5
    assert "核验不通过" in said.out
    assert Path(str(wrong)).name in said.out


def test_a_ledger_that_was_tampered_with_is_exported_as_it_stands_and_said_to_be(desk: Desk) -> None:
    with desk.engine.begin() as db:
        db.exec_driver_sql("SET ROLE cvl_owner")
        db.exec_driver_sql("ALTER TABLE cvl.app_user DISABLE TRIGGER append_only")
        db.exec_driver_sql("UPDATE cvl.app_user SET role = 'checker' WHERE name = 'maker2'")
        db.exec_driver_sql("RESET ROLE")
    out = desk.folder / "out.zip"
    wrong = desk.data("audit", "export", "--out", out, "--as", "auditor1", status=5)["first_wrong_act"]
    assert desk.data("audit", "verify", out, status=5)["first_wrong"].endswith(f"{int(wrong):09d}.txt")

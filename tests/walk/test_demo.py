"""`cvl demo`: the whole walk on the examples, the same each time, in a ledger of its own."""

import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from console import demo
from console.main import main
from voucher.errors import Refused


def test_the_demo_runs_twice_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CVL_PG_OPTIONS", "-c fsync=off -c shared_buffers=64MB")
    monkeypatch.setenv("CVL_TODAY", "2026-08-15")
    folder = tmp_path / "演示 输出"
    told: list[Any] = []
    for _ in range(2):
        answer = demo.demo(folder)
        assert answer.status == 0, answer.text
        told.append(answer.data)
    assert told[0] == told[1]
    assert [each["granted"] for each in told[0]["runs"]] == ["4247300.05", "3484317.30"]
    assert sum(counts["rejected"] for counts in told[0]["imports"].values()) == 11
    assert os.environ["CVL_TODAY"] == "2026-08-15"
    for book in told[0]["workbooks"]:
        assert "差异" in CalamineWorkbook.from_path(book).sheet_names
    assert all(Path(path).exists() for path in told[0]["returns"])
    with zipfile.ZipFile(told[0]["bundle"]) as archive:
        archive.extractall(tmp_path / "bundle")
    sums = ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"]
    assert subprocess.run(sums, cwd=tmp_path / "bundle", check=False).returncode == 0
    monkeypatch.setenv("CVL_HOME", told[0]["home"])
    monkeypatch.delenv("CVL_DATABASE_URL", raising=False)
    capsys.readouterr()
    assert main(["explain", told[0]["explain"]]) == 0
    assert "计算底稿" in capsys.readouterr().out


def test_a_ledger_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "ledger" / "postgres"
    precious.mkdir(parents=True)
    with pytest.raises(Refused, match="not_a_demo"):
        demo.demo(tmp_path)
    assert precious.exists()

"""`cvl demo`: the whole walk on the examples, the same each time, in a ledger of its own."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from console import demo
from console.main import main
from voucher.errors import Refused

SAID = Path(__file__).parent / "demo.txt"


def test_the_demo_tells_what_it_always_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Word for word on every machine; CVL_WRITE_GOLDEN=1 writes the words anew. What an earlier demo left goes."""
    monkeypatch.setenv("CVL_PG_OPTIONS", "-c fsync=off -c shared_buffers=64MB")
    monkeypatch.setenv("CVL_TODAY", "2026-08-15")
    folder = tmp_path / "演示 输出"
    (folder / "ledger/postgres").mkdir(parents=True)
    (folder / "ledger" / demo.MARKER).touch()
    answer = demo.demo(folder)
    assert answer.status == 0, answer.text
    told = answer.data
    said = "".join(f"{line}\n" for line in answer.text).replace(str(folder), "DEMO").replace("'", "")
    if os.environ.get("CVL_WRITE_GOLDEN"):
        SAID.write_text(said, "utf-8")
    assert said == SAID.read_text("utf-8")
    assert [each["granted"] for each in told["runs"]] == ["4247300.05", "3484317.30"]
    assert sum(counts["rejected"] for counts in told["imports"].values()) == 11
    assert [(each["paid"], each["returned"]) for each in told["payments"]] == [(37, 0), (35, 1), (1, 0)]
    assert os.environ["CVL_TODAY"] == "2026-08-15"
    for book in told["workbooks"]:
        assert "差异" in CalamineWorkbook.from_path(book).sheet_names
    assert all(Path(path).exists() for path in told["returns"])
    with zipfile.ZipFile(told["bundle"]) as archive:
        archive.extractall(tmp_path / "bundle")
    sums = ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"]
    assert subprocess.run(sums, cwd=tmp_path / "bundle", check=False).returncode == 0
    monkeypatch.setenv("CVL_HOME", told["home"])
    monkeypatch.delenv("CVL_DATABASE_URL", raising=False)
    capsys.readouterr()
    assert main(["explain", told["explain"]]) == 0
    assert "计算底稿" in capsys.readouterr().out


def test_a_ledger_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "ledger" / "postgres"
    precious.mkdir(parents=True)
    with pytest.raises(Refused, match="not_a_demo"):
        demo.demo(tmp_path)
    assert precious.exists()

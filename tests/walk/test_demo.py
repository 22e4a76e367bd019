"""`cvl demo`: the whole walk on the examples, the same each time, in a ledger of its own."""

import io
import os
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from console import demo
from console.main import main
from reconciliation import pdf, reports
from reconciliation.typeset import typeset
from tests import pictures
from voucher import acts
from voucher.database import make_engine, run
from voucher.embedded import running
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
    if pictures.wanted():
        draw(answer.text, folder, told["home"], monkeypatch)
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


def draw(text: Sequence[str], folder: Path, home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the picture of the README: what the demo said, and two of its reports."""
    pages = []
    monkeypatch.setattr(pdf, "typeset", lambda template, data: typeset(template, data, "png"))
    with running(Path(home)) as url:
        engine = make_engine(url)
        for name, period in (("budget", "2026"), ("reconciliation", "2026-07")):
            file = io.BytesIO()
            made = run(engine, lambda db, n=name, p=period: reports.run(db, n, p, acts.cutoff(db), ""), "cvl_auditor")  # type: ignore[misc]
            pdf.write(made, file)
            pages.append(file.getvalue())
        engine.dispose()
    lines = (line.replace(str(folder), "demo-output").replace("'", "") for line in text)
    said = ["$ make demo", *(line.replace(" " * 9, "　" * 4 + " ") for line in lines)]
    pictures.save(pictures.beside(pictures.terminal(said), pages), "demo")


def test_a_ledger_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "ledger" / "postgres"
    precious.mkdir(parents=True)
    with pytest.raises(Refused, match="not_a_demo"):
        demo.demo(tmp_path)
    assert precious.exists()

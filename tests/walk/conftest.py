"""A fresh ledger per test, and the real command line in front of it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, make_url

from console.main import main
from tests.postgres.conftest import _copy_database, _drop_database, _superuser, server, today
from tests.postgres.desk import companies, csv_bytes, line, providers, table
from voucher.database import make_engine
from voucher.embedded import running

__all__ = ["server", "today"]
ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "pattern"
_NUMBERS = count(1)


@dataclass(frozen=True)
class Result:
    """What a command gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Read the one JSON document on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Desk:
    """A folder with files, a ledger, and the command. folder: where files are laid."""

    folder: Path
    engine: Engine

    def cvl(self, *words: object) -> Result:
        """Run `cvl` in this process."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = main([str(word) for word in words])
        return Result(status, out.getvalue(), err.getvalue())

    def data(self, *words: object, status: int = 0) -> Any:
        """Run `cvl … --json`, expect an exit status, and give the document."""
        result = self.cvl(*words, "--json")
        assert result.status == status, (result.out, result.err)
        assert not result.err
        return result.json

    def start(self, *words: object) -> subprocess.Popen[str]:
        """Start `cvl` as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "console", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
        )

    def file(self, rows: list[dict[str, Any]], name: str = "月报.csv") -> Path:
        """Lay rows of the template on the desk as csv."""
        return self.bytes(csv_bytes(table(rows)), name)

    def sheet(self, rows: list[list[str]], name: str) -> Path:
        """Lay a register on the desk as csv."""
        return self.bytes(csv_bytes(rows), name)

    def bytes(self, data: bytes, name: str) -> Path:
        """Lay any file on the desk."""
        path = self.folder / name
        path.write_bytes(data)
        return path

    def bytes_of(self, name: str) -> bytes:
        """Read a file from the desk."""
        return (self.folder / name).read_bytes()

    def registered(self, *, yuan: str = "10000000.00") -> "Desk":
        """Register companies C and D and provider P, and have an appropriation approved."""
        files = [self.sheet(companies("C", "D"), "企业.csv"), self.sheet(providers("P"), "服务商.csv")]
        self.data("registry", "import", *files, "--as", "maker1")
        asked = ("--year", "2026", "--amount", yuan, "--ref", "指标1号", "--as", "maker1")
        self.data("approve", self.data("budget", "appropriate", *asked)["act"], "--as", "checker1")
        return self

    def settled(self, through: str = "2026-07") -> str:
        """Draft, submit and approve a run; give its number."""
        run = self.data("settle", "draft", "--through", through, "--as", "maker1")["run"]
        self.data("settle", "submit", run, "--as", "maker1")
        self.data("settle", "approve", run, "--as", "checker1")
        return str(run)

    def seals(self) -> int:
        """Tell how many acts there are."""
        return int(self.data("balance")["act_no"])


@pytest.fixture
def desk(server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Give a desk on a fresh database with one user of each role; it is dropped afterwards."""
    name = f"w{os.getpid()}_{next(_NUMBERS)}"
    with running(server) as url, _superuser(server) as root:
        _copy_database(root, name, TEMPLATE)
        own = make_url(url).set(database=name).render_as_string(hide_password=False)
        monkeypatch.setenv("CVL_DATABASE_URL", own)
        monkeypatch.setenv("CVL_HOME", str(tmp_path / "home"))
        monkeypatch.delenv("CVL_USER", raising=False)
        folder = tmp_path / "desk"
        folder.mkdir()
        engine = make_engine(own)
        yield Desk(folder, engine)
        engine.dispose()
        _drop_database(root, name)


__all__ += ["Desk", "line"]

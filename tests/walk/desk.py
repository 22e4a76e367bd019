"""A desk: a folder with files, a ledger of its own, and the real command line in front of it."""

import io
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, make_url

from console import progress
from console.main import main
from tests.postgres.conftest import TODAY, _copy_database, _drop_database, _superuser
from tests.postgres.desk import companies, csv_bytes, providers, table
from voucher import database
from voucher.database import make_engine
from voucher.embedded import running

ROOT = Path(__file__).resolve().parents[2]
_NUMBERS = count(1)
IDS = {"act", "run", "batch", "voucher", "match", "statement", "proposal", "cutoff", "seal"}


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


def numbered(data: Any) -> Iterator[str]:
    """List the ids of a document that are not strings."""
    for name, value in data.items() if isinstance(data, dict) else ():
        if isinstance(value, int) and (name in IDS or name.endswith(("_no", "_id"))) and name != "line_no":
            yield name
    for value in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from numbered(value)


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
        assert not list(numbered(result.json)), "ids are strings"
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


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@dataclass(frozen=True)
class Stage:
    """A ledger to start from, made once for all tests. database: its name. home: its CVL_HOME."""

    database: str
    home: Path


EMPTY = Stage("pattern", Path("none"))
"""Migrated, with the shipped policies and one user of each role."""


@contextmanager
def laid(server: Path, name: str, start: Stage, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Lay a desk in a folder on a new database that begins as a copy of a stage; it stays when the desk is left."""
    with running(server) as url, _superuser(server) as root:
        _copy_database(root, name, start.database)
        own = make_url(url).set(database=name).render_as_string(hide_password=False)
        home = folder / "home"
        if start.home.exists():
            shutil.copytree(start.home, home)
        patch.setenv("CVL_TODAY", TODAY)
        patch.setenv("CVL_DATABASE_URL", own)
        patch.setenv("CVL_HOME", str(home))
        patch.delenv("CVL_USER", raising=False)
        patch.setattr(progress, "EVERY_SECONDS", float("inf"))  # a busy machine has nothing to say for itself
        engine = make_engine(own)
        patch.setattr(database, "opened", partial(_shared, database.opened, own, engine))
        (folder / "desk").mkdir()
        yield Desk(folder / "desk", engine)
        engine.dispose()


@contextmanager
def _shared(alone: Callable[[], AbstractContextManager[Engine]], own: str, engine: Engine) -> Iterator[Engine]:
    """Let the commands of one desk share their connections: to open one costs more than most commands do."""
    if os.environ.get("CVL_DATABASE_URL") == own:
        yield engine
    else:
        with alone() as other:
            yield other


@contextmanager
def staged(server: Path, name: str, start: Stage, folder: Path, play: Callable[[Desk], object]) -> Iterator[Stage]:
    """Play the beginning of many tests once; give the stage that it leads to."""
    database = f"{name}_{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch, laid(server, database, start, folder, patch) as desk:
        play(desk)
    yield Stage(database, folder / "home")
    with _superuser(server) as root:
        _drop_database(root, database)


@contextmanager
def dropped(server: Path, start: Stage, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Lay a desk whose database is dropped when it is left."""
    name = f"w{os.getpid()}_{next(_NUMBERS)}"
    with laid(server, name, start, folder, patch) as desk:
        yield desk
    with _superuser(server) as root:
        _drop_database(root, name)

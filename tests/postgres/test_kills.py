"""kill -9 in the middle of an import: it leaves nothing, and started again it ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from reconciliation.invariants import check_all
from tests.postgres.conftest import Clone
from tests.postgres.desk import Desk, companies, line, providers
from voucher.database import transaction

_IMPORT = """
import os, signal, sys
from datetime import date
from importlib import import_module
from pathlib import Path
from importers import accept
from importers.accept import Asked
from voucher import database
from voucher.access import User

url, file, place, when, turn = sys.argv[1:]
if place:
    module, name = place.rsplit(".", 1)
    owner = import_module(module)
    real, calls = getattr(owner, name), []

    def fatal(*args, **kwargs):
        calls.append(1)
        if when == "before" and len(calls) == int(turn):
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if when == "after" and len(calls) == int(turn):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, fatal)
asked = Asked("", "", date(2026, 8, 10))
outcome = accept.import_file(database.make_engine(url), Path(file), User("maker1", "maker", None), asked)
print(outcome.exit_status)
"""
POINTS = {
    "while the file is copied": ("importers.receive._digest", "after", 1),
    "before anything is staged": ("importers.accept.make_tables", "before", 1),
    "in the middle of staging": ("importers.stage._write", "after", 2),
    "while it waits for nobody": ("importers.books.run_file", "after", 4),
    "with half of the facts written": ("importers.books.run_file", "after", 19),
    "with the problems unwritten": ("importers.books._write_problems", "before", 1),
    "before the document is kept": ("importers.originals.keep", "before", 1),
    "after the document is kept": ("importers.originals.keep", "after", 1),
    "before the seal": ("voucher.seal.close", "before", 1),
    "between the seal and the end": ("voucher.seal.close", "after", 1),
}
"""Where a process is killed: a function, before or after its so many-th call."""
AFTER_KEEPING = {"after the document is kept", "before the seal", "between the seal and the end"}


def rows() -> list[dict[str, Any]]:
    """Write some hundred rows with every outcome, in more than one chunk."""
    many = [line(f"m{i}", f"{i}.00", buyer="CD"[i % 2]) for i in range(1, 900)]
    bad = [line("x", buyer="X"), line("y", issued="2026-02-30"), line("s", since="", until="")]
    reds = [line("r", "-1.00", red_of="m5"), line("t", "-1.00", red_of="zz")]
    return [*many[:500], *bad, *many[500:], *reds]


def ready(engine: Engine, home: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Give a desk with the registers, and a held red-letter that the file releases."""
    monkeypatch.setenv("CVL_HOME", str(home))
    desk = Desk(engine, home)
    desk.register(companies("C", "D"))
    desk.register(providers("P"))
    desk.take([line("q", "-1.00", red_of="m7")], name="红.csv")
    return desk


def process(desk: Desk, file: Path, place: str = "", when: str = "", turn: int = 0) -> subprocess.CompletedProcess[str]:
    """Import the file in a process of its own, which may be killed on its way."""
    url = desk.engine.url.render_as_string(hide_password=False)
    return subprocess.run(
        [sys.executable, "-c", _IMPORT, url, str(file), place, when, str(turn)],
        capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ),
    )  # fmt: skip


def state(desk: Desk) -> dict[str, list[Any]]:
    """Read all that an import leaves, without ids that have gaps and the time of day."""
    return {
        "invoices": desk.rows(
            "SELECT s.accepted_before + i.place AS no, i.number, i.kind, i.net_fen, i.received_on, i.digest"
            " FROM invoice AS i INNER JOIN seal AS s ON s.act_id = i.act_id ORDER BY no"
        ),
        "lines": desk.rows("SELECT count(*), sum(net_fen) FROM invoice_line"),
        "numbers": desk.rows("SELECT number FROM invoice_number ORDER BY number"),
        "uploads": desk.rows(
            "SELECT u.file_name, u.rows, u.accepted, u.rejected, u.held, s.no FROM upload AS u"
            " INNER JOIN seal AS s ON s.act_id = u.upload_id ORDER BY s.no"
        ),
        "rows": desk.rows("SELECT sheet, row_no, outcome, cells FROM upload_row ORDER BY upload_id, sheet, row_no"),
        "problems": desk.rows("SELECT row_no, code, message FROM upload_problem ORDER BY upload_id, problem_no"),
        "held": desk.rows("SELECT row_no, invoice_number, waits_for, content FROM held_row ORDER BY 2, 1"),
        "acts": desk.rows(
            "SELECT a.kind, a.reference, s.no FROM act AS a INNER JOIN seal AS s USING (act_id) ORDER BY no"
        ),
        "documents": [name for name in desk.documents() if not name.startswith("incoming-")],
    }


@pytest.fixture(scope="module")
def unkilled(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Give the state after the same import without any kill."""
    folder = tmp_path_factory.mktemp("unkilled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_TODAY", "2026-08-15")
        desk = ready(clone(), folder / "home", patch)
        done = process(desk, desk.file(rows()))
        assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
        return state(desk)


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_import_leaves_nothing_and_ends_the_same_when_started_again(
    db_engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unkilled: dict[str, list[Any]],
    point: str,
) -> None:
    desk = ready(db_engine, tmp_path / "home", monkeypatch)
    before, file = state(desk), desk.file(rows())
    killed = process(desk, file, *POINTS[point])
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = state(desk)
    kept = set(left.pop("documents")) - set(before.pop("documents"))
    assert left == before
    assert len(kept) == (point in AFTER_KEEPING)
    assert desk.take(file, received_on=date(2026, 8, 10)).exit_status == 3
    assert state(desk) == unkilled
    with transaction(desk.engine, "cvl_auditor") as db:
        assert check_all(db) == []


def test_copies_that_a_kill_left_are_cleared_away_the_next_day(
    db_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = ready(db_engine, tmp_path / "home", monkeypatch)
    folder = desk.home / "documents"
    old, new = folder / "incoming-old", folder / "incoming-new"
    for left in (old, new):
        left.write_bytes(b"x")
    os.utime(old, (0, 0))
    desk.take([line("a")])
    assert (old.exists(), new.exists()) == (False, True)

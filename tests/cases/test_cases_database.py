"""Play every worked example through the real doors and the database."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from reconciliation import bundle_verify
from reconciliation.invariants import check_all
from tests.cases import database, doors, player, steps
from tests.postgres.desk import Desk
from voucher.database import transaction

CASES = player.cases()
ELSEWHERE = {"C4": "tests/postgres/test_races.py"}
"""Cases that are no sequence of steps, and the file where a test bears their name."""
BUNDLED = {"R2", "B1", "B4", "B10"}
"""Cases of which a bundle is exported and verified too: recovery, backfill, pro rata, money that came back."""
MUST_HOLD = {
    *(f"D{n}" for n in range(1, 8)), *(f"C{n}" for n in range(1, 9)), *(f"R{n}" for n in range(1, 10)),
    *(f"E{n}" for n in range(1, 10)), *(f"B{n}" for n in range(1, 11)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_doors_give_what_the_worked_example_says(
    db_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: steps.Case
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("CVL_HOME", str(home))
    played = database.Player(case, Desk(db_engine, home), monkeypatch)
    played.play()
    with transaction(db_engine, "cvl_auditor") as db:
        assert (check_all(db) == []) == played.sound
    if case.id in BUNDLED:
        exported = doors.bundled(played)
        assert bundle_verify.verify([exported], None).faults == []


def test_no_case_that_must_hold_is_left_out() -> None:
    assert {case.id for case in CASES} | ELSEWHERE.keys() >= MUST_HOLD
    root = Path(__file__).resolve().parents[2]
    assert all(f"def test_{case.lower()}_" in (root / file).read_text("utf-8") for case, file in ELSEWHERE.items())

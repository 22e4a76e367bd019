"""Play every worked example through the real doors and the database."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from reconciliation.invariants import check_all
from tests.cases import database, player, steps
from tests.postgres.desk import Desk
from voucher.database import transaction

CASES = player.cases()
ELSEWHERE = {"C4": "tests/postgres/test_races.py"}
"""Cases that are no sequence of steps, and the file where a test bears their name."""
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


def test_no_case_that_must_hold_is_left_out() -> None:
    assert {case.id for case in CASES} | ELSEWHERE.keys() >= MUST_HOLD
    root = Path(__file__).resolve().parents[2]
    assert all(f"def test_{case.lower()}_" in (root / file).read_text("utf-8") for case, file in ELSEWHERE.items())

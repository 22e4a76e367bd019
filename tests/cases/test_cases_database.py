"""Play every worked example through the real doors and the database, as far as they are built."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from reconciliation.invariants import check_all
from tests.cases import database, player, steps
from tests.postgres.desk import Desk
from voucher.database import transaction

CASES = [case for case in player.cases() if case.needs not in database.NOT_YET]
NAMED = {"D1", "D2", "D3", "D4", "D5", "D7", "C1", "C2", "C3", "C5", "C6", "C8", "R4", "E1", "E2", "E3", "E4", "E5"}
NAMED |= {"E7", "E8", "B2"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_doors_give_what_the_worked_example_says(
    db_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: steps.Case
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("CVL_HOME", str(home))
    database.Player(case, Desk(db_engine, home), monkeypatch).play()
    with transaction(db_engine, "cvl_auditor") as db:
        assert check_all(db) == []


def test_no_case_that_must_hold_is_left_out() -> None:
    assert {case.id for case in CASES} >= NAMED

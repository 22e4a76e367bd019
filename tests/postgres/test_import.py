"""The import of invoice files, from the bytes to the books."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.postgres.desk import Desk, companies, counts, line, providers, said, statuses, real, CHECKER, MAKER


@pytest.fixture
def desk(db_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    home = tmp_path / "home"
    monkeypatch.setenv("CVL_HOME", str(home))
    made = Desk(db_engine, home)
    assert made.register(companies("C", "D")).exit_status == 0
    assert made.register(providers("P")).exit_status == 0
    return made


def test_a_clean_file_is_accepted_in_file_order(desk: Desk) -> None:
    outcome = desk.take([line("b"), line("a", "2000.00"), line("c", buyer="D")])
    assert outcome.exit_status == 0
    assert counts(outcome) == {"accepted": 3}
    assert said(outcome) == []
    assert desk.accepted() == [(real("b"), 1), (real("a"), 2), (real("c"), 3)]

"""A fresh ledger per test, and the real command line in front of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres.conftest import clone, server, today
from tests.postgres.desk import line
from tests.walk.desk import EMPTY, ROOT, Desk, Stage, dropped, staged
from tests.walk.till import PAYDAY, Till, disclosed

__all__ = ["ROOT", "Desk", "clone", "line", "server", "today"]


@pytest.fixture
def desk(server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Give a desk on a fresh database with one user of each role."""
    with dropped(server, EMPTY, tmp_path, monkeypatch) as desk:
        yield desk


@pytest.fixture(scope="session")
def office_stage(server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Make the stage of `office`."""
    with staged(server, "office", EMPTY, tmp_path_factory.mktemp("office"), Desk.registered) as stage:
        yield stage


@pytest.fixture
def office(server: Path, tmp_path: Path, office_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Give a desk on which C, D and P are registered and an appropriation is approved."""
    with dropped(server, office_stage, tmp_path, monkeypatch) as desk:
        yield desk


@pytest.fixture(scope="session")
def till_stage(server: Path, tmp_path_factory: pytest.TempPathFactory, office_stage: Stage) -> Iterator[Stage]:
    """Make the stage of `till`."""
    with staged(server, "till", office_stage, tmp_path_factory.mktemp("till"), disclosed) as stage:
        yield stage


@pytest.fixture
def till(server: Path, tmp_path: Path, till_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    """Give a desk with a disclosed run on a day on which it can be paid."""
    with dropped(server, till_stage, tmp_path, monkeypatch) as desk:
        monkeypatch.setenv("CVL_TODAY", PAYDAY)
        yield Till(desk, desk.data("settle", "list")["runs"][0]["run"])

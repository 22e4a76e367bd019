"""Homes for the embedded server: a finished one, and a new one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres.embedded.programs import looked_after
from voucher.embedded import running


@pytest.fixture(scope="module", autouse=True)
def _fast() -> Iterator[None]:
    """Spare the disk: none of these tests pulls the plug."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_PG_OPTIONS", "-c fsync=off -c shared_buffers=16MB")
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a home with a finished database."""
    home = tmp_path_factory.mktemp("finished") / "home"
    with running(home):
        pass
    yield home
    shutil.rmtree(home)


@pytest.fixture
def home(finished: Path) -> Iterator[Path]:
    """Lend the finished home, which one test after the other opens and kills; no server runs."""
    with looked_after(finished):
        yield finished


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Path]:
    """Give a home that nobody has used yet."""
    with looked_after(tmp_path / "home") as home:
        yield home
    shutil.rmtree(home, ignore_errors=True)

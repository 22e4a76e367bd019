"""What is read from each golden sample is what stands beside it."""

import json
from pathlib import Path

import pytest

from tests.golden.make import ALL, outcome

HERE = Path(__file__).resolve().parent
SAMPLES = [path for name in ALL for path in sorted((HERE / name).iterdir()) if path.suffix != ".json"]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_sample_reads_as_expected(path: Path) -> None:
    expected = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
    assert outcome(path) == expected


@pytest.mark.parametrize("name", ALL)
def test_every_sample_has_its_maker(name: str) -> None:
    assert {path.name for path in SAMPLES if path.parent.name == name} == set(ALL[name]())

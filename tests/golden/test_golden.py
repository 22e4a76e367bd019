"""What is read from each golden sample is what stands beside it."""

import json
from pathlib import Path

import pytest

from importers.catalogue import CATALOGUE
from tests.golden.make import ALL, outcome
from tests.golden.usage import SAMPLES as SAMPLES_OF_USAGE

HERE = Path(__file__).resolve().parent
SAMPLES = [path for name in ALL for path in sorted((HERE / name).iterdir()) if path.suffix != ".json"]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_sample_reads_as_expected(path: Path) -> None:
    expected = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
    assert outcome(path) == expected


@pytest.mark.parametrize("name", ALL)
def test_every_sample_has_its_maker(name: str) -> None:
    assert {path.name for path in SAMPLES if path.parent.name == name} == set(ALL[name]())


def test_every_rule_on_usage_files_is_shown_to_bite() -> None:
    read = [path.with_name(f"{path.name}.json") for path in SAMPLES if path.parent.name in SAMPLES_OF_USAGE]
    found = {problem["code"] for path in read for problem in json.loads(path.read_text("utf-8"))["problems"]}
    against_the_books = {
        "usage_company_differs", "usage_invoice_missing", "usage_not_yours", "usage_of_red", "usage_outside_span",
        "usage_overlaps", "usage_replace_faulty", "usage_same_file", "usage_sum_differs", "usage_too_large",
        "usage_too_many_days", "usage_too_many_faults", "usage_waited_for_red",
    }  # fmt: skip
    rules = {code for code in CATALOGUE if code.startswith(("focus_", "usage_"))}
    assert rules - found == against_the_books
    assert len(rules & found) >= 25

"""The page of codes is the program's own words, and none of them leaves the reader without advice."""

import re
from pathlib import Path

import pytest

from console import assumptions_page
from importers.catalogue import CATALOGUE
from importers.codes_page import page
from settlement.policy import shipped

DOCS = Path(__file__).resolve().parents[2] / "docs"
CODE = (
    "voucher",
    "settlement",
    "importers",
    "reconciliation",
    "portal",
    "jobs",
    "console",
    "sql",
    "bench",
    "tests/cases",
)
SOURCES = (".py", ".sql")


def test_the_page_of_codes_is_the_generated_one() -> None:
    assert (DOCS / "codes.md").read_text("utf-8") == page(), "python -m importers.codes_page > docs/codes.md"


@pytest.mark.parametrize("code", CATALOGUE)
def test_no_code_lacks_its_advice(code: str) -> None:
    (row,) = re.findall(rf"^\| `{code}` \| (.+) \| (.+) \|$", page(), re.MULTILINE)
    wrong, advice = row
    assert len(re.findall(r"[\u4e00-\u9fff]", wrong)) >= 4
    assert len(re.findall(r"[\u4e00-\u9fff]", advice)) >= 4
    assert re.search(r"请|无需|不处理|自动|为准|已按|已受理|已暂存", advice), advice


def test_the_handbook_names_only_codes_that_there_are() -> None:
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", (DOCS / "provider.md").read_text("utf-8")))
    assert named
    assert named <= set(CATALOGUE)


def test_the_page_of_assumptions_is_the_generated_one() -> None:
    made = assumptions_page.page()
    assert (DOCS / "assumptions.md").read_text("utf-8") == made, (
        "python -m console.assumptions_page > docs/assumptions.md"
    )
    for policy in shipped():
        assert all(ground.assumed in made for ground in policy.grounds.values())


def test_every_promise_to_auditors_names_tests_that_there_are() -> None:
    text = (DOCS / "auditor.md").read_text("utf-8").partition("## 4.")[2].partition("## 5.")[0]
    promises = re.findall(r"^(\d+)\. (.+?)(?=^\d+\. |\Z)", text, re.MULTILINE | re.DOTALL)
    assert [int(number) for number, _ in promises] == list(range(1, len(promises) + 1))
    for number, words in promises:
        links = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", words)
        assert links, f"promise {number} names no test"
        for file, name in links:
            assert f"\ndef {name}(" in (DOCS.parent / file).read_text("utf-8"), f"promise {number}: {file}::{name}"


def test_every_reference_to_the_design_names_a_section_that_it_has() -> None:
    design = (DOCS / "DESIGN.md").read_text("utf-8")
    sections = dict(re.findall(r"^## (\d+)\. .*\n((?:(?!^## ).*\n)*)", design, re.MULTILINE))
    points = {f"{each}.{point}" for each, body in sections.items() for point in re.findall(r"^(\d+)\. ", body, re.M)}
    named = [
        (path.name, number.rstrip("."))
        for path in (path for folder in CODE for path in (DOCS.parent / folder).rglob("*") if path.suffix in SOURCES)
        for numbers in re.findall(r"DESIGN (?:section )?([\d., andto]+)", path.read_text("utf-8"))
        for number in re.findall(r"\d+(?:\.\d+)?", numbers)
    ]
    assert len(named) > 80
    assert [each for each in named if each[1] not in sections.keys() | points] == []


def test_every_link_of_a_page_leads_somewhere() -> None:
    for page_ in (DOCS.parent / "README.md", DOCS.parent / "examples/README.md", *DOCS.glob("*.md")):
        targets = re.findall(r"\]\(([^)#]+)\)", page_.read_text("utf-8"))
        assert [each for each in targets if not (page_.parent / each).exists()] == [], page_.name

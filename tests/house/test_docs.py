"""The handbooks keep to the product: every promise names tests that exist, every command is one of ours."""

import ast
import re
from pathlib import Path

import pytest

from console.verbs import GROUPS, VERBS

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@pytest.fixture(scope="module")
def books(root: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted((root / "docs").glob("*.md"))}


def _promises(text: str) -> dict[int, str]:
    """Read the numbered promises of the fourth section."""
    section = re.split(r"^## ", text, flags=re.MULTILINE)[4].partition("\n")[2]
    parts = re.split(r"^(\d+)\. ", section, flags=re.MULTILINE)[1:]
    return {int(number): body for number, body in zip(parts[::2], parts[1::2], strict=True)}


def test_every_promise_names_the_test_that_would_break(books: dict[str, str]) -> None:
    promises = _promises(books["auditor.md"])
    assert list(promises) == list(range(1, len(promises) + 1))
    assert len(promises) >= 10
    assert not [number for number, body in promises.items() if not _TEST.search(body)]


def test_every_test_a_handbook_names_exists(books: dict[str, str], root: Path) -> None:
    named = {match for text in books.values() for match in _TEST.findall(text)}
    assert named
    missing = []
    for file, name in sorted(named):
        path = root / file
        tree = ast.parse(path.read_text("utf-8")) if path.exists() else ast.Module([], [])
        if name not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{file}::{name}")
    assert not missing, missing


def test_every_command_a_handbook_shows_is_one_of_ours(books: dict[str, str], texts: dict[str, str]) -> None:
    paths = {verb.path for verb in VERBS}
    shown = {
        (name, match[1], match[2] or "")
        for name, text in {**books, "README.md": texts["README.md"]}.items()
        for match in re.finditer(r"(?<!=)\bcvl ([a-z]+)(?: ([a-z]+))?", text)
    }
    wrong = [
        f"{name}: cvl {first} {second}"
        for name, first, second in sorted(shown)
        if (f"{first} {second}" not in paths if first in GROUPS and second else first not in paths | GROUPS.keys())
    ]
    assert not wrong, wrong


def test_every_job_is_in_the_handbook(books: dict[str, str], root: Path) -> None:
    jobs = {path.stem for path in (root / "jobs/tasks").glob("[a-z]*.py")}
    assert set(re.findall(r"^\| `(\w+)` \|", books["operation.md"], re.MULTILINE)) == jobs

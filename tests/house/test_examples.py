"""The sample data of the demo is what its script writes, byte for byte, and small."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

WRITTEN = ("*.md", "*.toml", "registry/*", "invoices/*/*")


def _content(path: Path) -> bytes | dict[str, bytes]:
    """Return a file's bytes; of a workbook its members, since zlib may compress differently elsewhere."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist()}


def _written(folder: Path) -> dict[str, bytes | dict[str, bytes]]:
    return {p.relative_to(folder).as_posix(): _content(p) for pattern in WRITTEN for p in folder.glob(pattern)}


@pytest.fixture(scope="module")
def again(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    subprocess.run([sys.executable, "-B", str(root / "examples/generate.py"), str(folder)], check=True, timeout=60)
    return folder


def test_generating_again_gives_the_same_files(root: Path, again: Path) -> None:
    here, there = _written(root / "examples"), _written(again)
    assert sorted(here) == sorted(there)
    assert not [name for name in here if here[name] != there[name]], "run python examples/generate.py"


def test_the_samples_are_small(again: Path) -> None:
    assert sum(path.stat().st_size for path in again.rglob("*") if path.is_file()) < 1_000_000


def test_every_step_names_a_file_and_a_user_that_are_there(again: Path) -> None:
    manifest = tomllib.loads((again / "demo.toml").read_text("utf-8"))
    users = {user["name"] for user in manifest["users"]}
    files = {step["file"] for step in manifest["steps"] if "file" in step}
    assert files == {
        p.relative_to(again).as_posix() for d in ("registry", "invoices") for p in (again / d).rglob("*.*")
    }
    assert {step["user"] for step in manifest["steps"]} <= users
    days = [step["day"] for step in manifest["steps"]]
    assert days == sorted(days)

"""Read the tree of the house once: its own files, and those of them that are text."""

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "voucher",
    "settlement",
    "importers",
    "reconciliation",
    "jobs",
    "portal",
    "console",
    "sql",
    "bench",
    "examples",
)
NOT_OURS = {".git", ".venv", "__pycache__", "build", "dist", "demo-output", "mutants", "node_modules"}
SAMPLES = ("examples/invoices/", "tests/golden/")
BINARY = {".xlsx", ".png", ".jpg", ".pdf", ".zip", ".ofd", ".parquet", ".ttf"}


def _walk(folder: Path) -> list[Path]:
    found: list[Path] = []
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if entry.name not in NOT_OURS and not entry.name.endswith(("_cache", ".egg-info", ".hypothesis")):
                found += _walk(entry)
        elif entry.name not in NOT_OURS:  # in a linked working tree .git is a file
            found.append(entry)
    return found


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def raw() -> dict[str, bytes]:
    """Give every text file of ours by its path from the root; samples of other encodings are left out."""
    paths = {path.relative_to(ROOT).as_posix(): path for path in _walk(ROOT)}
    return {
        name: path.read_bytes()
        for name, path in paths.items()
        if path.suffix not in BINARY and not name.startswith(SAMPLES)
    }


@pytest.fixture(scope="session")
def texts(raw: dict[str, bytes]) -> dict[str, str]:
    return {name: data.decode("utf-8-sig", errors="replace") for name, data in raw.items()}


@pytest.fixture(scope="session")
def modules(texts: dict[str, str]) -> dict[str, str]:
    """Give the Python files of the rooms, tests left out."""
    return {
        name: text
        for name, text in texts.items()
        if name.endswith(".py") and name.split("/")[0] in ROOMS and "/tests/" not in name
    }


@pytest.fixture(scope="session")
def nodes(modules: dict[str, str]) -> dict[str, Sequence[ast.AST]]:
    """Give every node of the Python files of the rooms."""
    return {name: list(ast.walk(ast.parse(text))) for name, text in modules.items()}

"""The rules of the page that concern installing: reasons for dependencies, a lock without addresses."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def project(texts: dict[str, str]) -> dict[str, Any]:
    loaded: dict[str, Any] = tomllib.loads(texts["pyproject.toml"])["project"]
    return loaded


@pytest.fixture(scope="module")
def required(project: dict[str, Any]) -> list[str]:
    return [*project["dependencies"], *project["optional-dependencies"]["dev"]]


@pytest.fixture(scope="module")
def locked(texts: dict[str, str]) -> dict[str, str]:
    pins = re.findall(r"^([\w.-]+)==(\S+)", texts["requirements.lock"], re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def test_every_dependency_has_its_reason_beside_it(required: list[str], texts: dict[str, str]) -> None:
    lines = texts["pyproject.toml"].split("\n")
    bare = [r for r in required if not any(re.search(rf'"{re.escape(r)}",?\s+# \S', line) for line in lines)]
    assert not bare, bare


def test_the_lock_holds_versions_and_hashes_only(texts: dict[str, str]) -> None:
    pin = re.compile(r"[\w.-]+==[\w.!+-]+ \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?|\s*#.*|")
    other = [line for line in texts["requirements.lock"].split("\n") if not pin.fullmatch(line)]
    assert not other, other[:5]
    assert not re.search(r"://|file:/|--(?:extra-)?index|find-links", texts["requirements.lock"])


def test_the_lock_satisfies_every_dependency(required: list[str], locked: dict[str, str]) -> None:
    wrong = [
        text
        for text in required
        if (r := Requirement(text))
        and not r.specifier.contains(locked.get(canonicalize_name(r.name), ""), prereleases=True)
    ]
    assert not wrong, f"run `make lock`: {wrong}"


def test_every_pin_has_a_hash(texts: dict[str, str]) -> None:
    pins = re.split(r"^(?=[\w.-]+==)", texts["requirements.lock"], flags=re.MULTILINE)[1:]
    bare = [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin]
    assert not bare, bare


def test_every_target_of_the_makefile_has_one_line_of_help(texts: dict[str, str]) -> None:
    makefile = texts["Makefile"]
    targets = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert targets is not None
    assert {"help", "demo", "test", "check", "bench"} <= set(targets[1].split())
    bare = [t for t in targets[1].split() if not re.search(rf"^{t}:.*  ## \S", makefile, re.MULTILINE)]
    assert not bare, bare


def test_the_wheel_carries_every_room(root: Path) -> None:
    wheel = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    rooms = {path.parent.name for path in root.glob("*/__init__.py")} - {"tests", "bench"}
    assert rooms == set(wheel["packages"])
    assert wheel["force-include"] == {"examples": "examples"}

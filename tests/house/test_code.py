"""The rules of the page that concern Python: one-way imports, short functions, no float near money."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from portal import words
from portal.show import plainly
from reconciliation import decisions

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
MONEY_ROOMS = ("voucher/", "settlement/", "importers/")
FLOATS = {
    "importers/workbooks.py": "a workbook's numeric cell keeps the type Excel gave it until its column reads it",
}
"""Modules that may call float(), and why."""
REFUSALS = ("Misused", "Refused", "Busy", "Broken", "Unreachable")
COMMAND_LINE = {
    "voucher/access.py": "who acts is known on a page",
    "settlement/simulate.py": "no page simulates",
}
"""Modules with sentences that only the command line says, and why."""


Nodes = dict[str, Sequence[ast.AST]]


def test_imports_run_one_way(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from importlinter import cli

    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root))
    status = cli.lint_imports(config_filename="pyproject.toml", no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_no_file_is_long(modules: dict[str, str]) -> None:
    long = {name: n for name, text in modules.items() if (n := text.count("\n")) > MAX_FILE_LINES}
    assert not long, long


def test_no_function_is_long(nodes: Nodes) -> None:
    long = [
        f"{name}:{node.lineno} {node.name} ({lines} lines)"
        for name, found in nodes.items()
        for node in found
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_a_proposal_is_decided_where_every_kind_is_known(modules: dict[str, str]) -> None:
    """A command line loads little: an owner of a kind that nobody loaded could not be approved there."""
    owners = {owner.__name__.replace(".", "/") + ".py" for owner in decisions.OWNERS}
    assert owners == {name for name, text in modules.items() if "approval.declare(" in text}
    deciding = {name for name, text in modules.items() if "approval.decide" in text}
    assert deciding == {"reconciliation/decisions.py", "settlement/run.py"}


def test_nothing_near_money_becomes_a_float(nodes: Nodes) -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, each in nodes.items()
        if name.startswith(MONEY_ROOMS) and name not in FLOATS
        for node in each
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    ]
    assert not found, found


def test_invoice_files_are_never_read_with_pandas_or_openpyxl(nodes: Nodes) -> None:
    found = [
        name
        for name, each in nodes.items()
        for node in each
        if (isinstance(node, ast.Import) and any(a.name.startswith(("openpyxl",)) for a in node.names))
        or (isinstance(node, ast.Attribute) and node.attr in {"read_excel", "read_csv"})
    ]
    assert not found, found


def test_every_import_format_has_a_golden_sample(root: Path) -> None:
    found = [path for path in (root / "importers/formats").iterdir() if path.suffix in (".py", ".toml")]
    formats = {path.stem for path in found if not path.stem.startswith("_")}
    golden = root / "tests/golden"
    missing = {name for name in formats if not (golden / name).is_dir() or not any((golden / name).iterdir())}
    assert not missing, f"put a sample and its expected result into tests/golden/<name>/: {sorted(missing)}"


def test_no_code_names_a_programme(texts: dict[str, str]) -> None:
    rooms = ("voucher/", "settlement/", "importers/", "reconciliation/", "jobs/", "portal/", "console/", "sql/")
    found = [
        f"{name}: {match[0]}"
        for name, text in texts.items()
        if name.startswith(rooms) and name.endswith((".py", ".sql", ".typ"))
        for match in re.finditer(r"\bcq-\d{4}-\d\d\b\S*", text)
    ]
    assert not found, found


def test_every_act_has_a_name_on_screen(modules: dict[str, str]) -> None:
    made = re.compile(r'acts\.act\(\s*db, "(\w+)"|^KIND = "(\w+)"', re.MULTILINE)
    kinds = {a or b for text in modules.values() for a, b in made.findall(text)}
    assert len(kinds) > 25
    assert not kinds - set(words.ACTS)


def test_no_refusal_speaks_of_the_command_line_alone(nodes: Nodes) -> None:
    """A page leaves out the clause that names a command; what remains must say something, and name none."""
    spoken = []
    for name, found in nodes.items():
        if name.startswith(("console/", "jobs/")) or name in COMMAND_LINE:
            continue
        for node in found:
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in REFUSALS and len(node.args) > 1:
                said = node.args[1]
                parts = said.values if isinstance(said, ast.JoinedStr) else [said]
                sentence = "".join(str(part.value) if isinstance(part, ast.Constant) else "甲" for part in parts)
                if re.search(r"\bcvl |--[a-z]", plainly(sentence)):
                    spoken.append(f"{name}:{node.lineno} {sentence}")
    assert not spoken, "\n".join(spoken)

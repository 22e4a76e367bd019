"""The rules of the page that concern SQL files: a header with the grain, nothing that text() misreads."""

import re

import pytest

HEADED = ("sql/queries/", "sql/reports/", "sql/checks/")
_BIND = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""What SQLAlchemy's text() takes for a bind parameter, wherever it stands."""
MAY_HOLD_STATEMENTS = {
    "voucher/embedded_server.py": "asks a bare server before there is a database of ours",
    "voucher/migrate.py": "keeps the list of migrations before there is a schema",
    "voucher/sealed.py": "writes one COPY and one question per table from the list of sealed tables",
}
"""Modules that may hold a statement themselves, and why."""


@pytest.fixture(scope="module")
def statements(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name.endswith(".sql") and name.startswith(HEADED)}


def _header(text: str) -> list[str]:
    lines = []
    for line in text.split("\n"):
        if not line.startswith("--"):
            break
        lines.append(line)
    return lines


def _keys(text: str) -> set[str]:
    return {match[1] for line in _header(text) if (match := re.match(r"-- (\w+):\s+\S", line))}


def test_every_statement_begins_with_its_grain_and_parameters(statements: dict[str, str]) -> None:
    bare = [name for name, text in statements.items() if not {"grain", "params"} <= _keys(text)]
    assert not bare, "\n".join(bare)


def test_every_check_says_what_must_hold(statements: dict[str, str]) -> None:
    checks = {name: text for name, text in statements.items() if name.startswith("sql/checks/")}
    bare = [name for name, text in checks.items() if not text.startswith("-- check:")]
    assert not bare, "\n".join(bare)


def test_no_comment_holds_what_looks_like_a_parameter(statements: dict[str, str]) -> None:
    comments = (
        (name, line.split("--", 1)[1]) for name, text in statements.items() for line in text.split("\n") if "--" in line
    )
    found = [f"{name}: {comment}" for name, comment in comments if _BIND.search(comment)]
    assert not found, "\n".join(found)


def test_parameters_are_named_in_the_header(statements: dict[str, str]) -> None:
    missing = []
    for name, text in statements.items():
        header = "\n".join(_header(text))
        body = re.sub(r"--.*", "", text)
        body = re.sub(r"'(?:[^']|'')*'", "''", body)
        missing += [
            f"{name}: {word}" for word in sorted(set(_BIND.findall(body))) if not re.search(rf"\b{word}\b", header)
        ]
    assert not missing, "\n".join(missing)


def test_what_has_nothing_to_do_with_each_other_does_not_wait_for_one_lock(statements: dict[str, str]) -> None:
    locks = [key for text in statements.values() for key in re.findall(r"advisory_xact_lock\((\d+)\)", text)]
    assert len(locks) > 3
    assert len(locks) == len(set(locks)), sorted(locks)


def test_statements_live_in_files_only(modules: dict[str, str]) -> None:
    statement = re.compile(r"[\"'](?:SELECT .+ FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE)\b")
    found = [
        f"{name}:{number}"
        for name, text in modules.items()
        if not name.startswith("bench/") and name not in MAY_HOLD_STATEMENTS
        for number, line in enumerate(text.split("\n"), start=1)
        if statement.search(line)
    ]
    assert not found, found


NO_NEWS = {
    "absorbed_use": "comes with its merger",
    "account": "moves with a transfer, whose act is one of those that are asked about",
    "decision": "what a run itself did",
    "evidence_line": "comes with its evidence",
    "invoice_line": "comes with its invoice",
    "invoice_number": "comes with its invoice",
    "party": "is not a fact about a claim",
    "programme": "is not a fact about a claim",
    "run_line": "what a run itself did",
    "seal": "says when",
    "usage_day": "comes with its metering",
}
"""Tables that a draft reads and that bring no company up again, and why."""


def test_whatever_a_draft_reads_can_bring_a_company_up_again(texts: dict[str, str]) -> None:
    """A new kind of fact that settlement reads has to be asked about in 13_touched.sql too, or nobody would look."""
    schema = "\n".join(text for name, text in sorted(texts.items()) if name.startswith("sql/schema/"))
    tables = set(re.findall(r"CREATE TABLE (\w+)", schema))
    bodies = re.findall(r"(?s)CREATE FUNCTION (\w+)\((.*?)(?:\nEND;|\n\$\$;)", schema)
    functions = {name: body for name, body in bodies if name.endswith("_at")}

    def read_by(text: str) -> set[str]:
        plain = re.sub(r"--.*", "", text)
        named = set(re.findall(r"(?:FROM|JOIN) (\w+)", plain)) - set(re.findall(r"(\w+) AS \(", plain))
        inner = [read_by(functions[name]) for name in named & set(functions)]
        return named.union(*inner)

    folder = "sql/queries/settle/draft/"
    asked = read_by(texts[f"{folder}13_touched.sql"])
    steps = [text for name, text in texts.items() if name.startswith(folder) and re.search(r"/[2-7]\d_", name)]
    read = set().union(*(read_by(text) for text in steps)) & tables
    assert len(read) > 15
    assert read - asked == set(NO_NEWS) & read - asked, sorted(read - asked - set(NO_NEWS))

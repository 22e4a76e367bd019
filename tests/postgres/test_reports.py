"""Every report on one rich ledger: against its golden table, in every format, and its red flags."""

import json
import os
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import Connection, Engine

import sql
from portal.pages import dashboard
from reconciliation import flags, pdf, reports
from reconciliation.document import shown_columns
from tests.postgres import questions, rich_ledger
from tests.postgres import small_ledger as small
from voucher import acts
from voucher.database import run, transaction
from voucher.errors import Misused, Refused
from voucher.money import parse_yuan

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "reports"
PERIOD = "2026"
ROWS = 20
"""How many rows of each report the samples hold; so many stand on the first page of paper."""


SEEN: dict[str, tuple[str, str, Any]] = {}
"""Name of a moment on the way to when it was, its business day, and what every question was answered then."""


@pytest.fixture(scope="module")
def books(clone: Callable[[], Engine], tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Build the rich ledger once; its tests only look."""
    engine = clone()

    def look(name: str) -> None:
        SEEN[name] = (questions.now(engine), os.environ["CVL_TODAY"], questions.answers(engine))

    rich_ledger.build(engine, tmp_path_factory.mktemp("rich"), look)
    return engine


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_TODAY", "2026-09-02")


@pytest.fixture
def db(books: Engine) -> Iterator[Connection]:
    with transaction(books, "cvl_auditor") as db:
        yield db


def made(db: Connection, name: str) -> reports.Report:
    return reports.run(db, name, PERIOD, acts.cutoff(db), "maker1", checked=())


def written(report: reports.Report, format_: str) -> bytes:
    target = BytesIO()
    reports.FORMATS[format_](report, target)
    return target.getvalue()


def table(report: reports.Report) -> dict[str, Any]:
    """Give what a report says without what depends on the hour: columns, the first rows, totals, sheets."""
    document = json.loads(written(report, "json"))
    return {
        "title": document["title"], "columns": document["columns"], "rows": document["rows"][:ROWS],
        "totals": document["totals"], "sheets": sorted(document["sheets"]),
    }  # fmt: skip


def on_paper(report: reports.Report) -> set[str]:
    """Give the first rows' cells as a PDF writes them, without blanks: text wraps where it likes."""
    places = shown_columns(report, report.sections[0])
    rows = report.sections[0].rows[:ROWS]
    return {"".join(cell.split()) for row in rows for cell in pdf._cells(report, places, row)}


@pytest.mark.parametrize("name", [path.removeprefix("reports/").removesuffix(".sql") for path in sql.names("reports")])
def test_a_report_is_as_its_golden_sample_in_every_format(db: Connection, name: str) -> None:
    report = made(db, name)
    assert report.differences == ()
    path = GOLDEN / f"{name}.json"
    told = json.dumps(table(report), ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("CVL_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(told, "utf-8")
    assert told == path.read_text("utf-8")
    labels = {fact.label for fact in report.face}
    assert {"编号", "截止", "编制人", "行数", "口径", "政策依据", "链摘要"} <= labels
    book = CalamineWorkbook.from_filelike(BytesIO(written(report, "xlsx")))
    cells = [cell for row in book.get_sheet_by_index(0).to_python() for cell in row]
    assert any(report.digest in str(cell) for cell in cells)
    assert written(report, "xlsx") == written(report, "xlsx")
    assert written(report, "csv").decode("utf-8-sig").count("\n") > report.rows if len(report.sections) == 1 else True
    paper = written(report, "pdf")
    assert paper == written(report, "pdf")
    text = "".join(PdfReader(BytesIO(paper)).pages[0].extract_text().split())  # the others take a second each
    assert {fact.text for fact in report.face if "".join(fact.text.split()) not in text} == set()
    assert {cell for cell in on_paper(report) if cell not in text} == set()


def test_every_report_has_a_golden_sample() -> None:
    names = {path.removeprefix("reports/").removesuffix(".sql") for path in sql.names("reports")}
    assert names == {path.stem for path in GOLDEN.glob("*.json")}


def test_the_books_of_the_reports_agree_with_each_other(db: Connection) -> None:
    def total(name: str, column: str, period: str = PERIOD) -> int:
        return parse_yuan(table(reports.run(db, name, period, acts.cutoff(db), "", checked=()))["totals"][column])

    net, paid = total("year_end", "net"), total("year_end", "paid")
    assert total("settlement_lines", "granted") == total("invoices", "granted") == net
    assert total("company_caps", "granted") + total("company_caps", "granted", "2025") == net
    assert total("year_end", "payable") + total("year_end", "in_transit") + paid == net
    # 12,000.00 of what was paid is owed back, 56,400.00 came back from the bank
    assert total("invoices", "paid") == paid + total("recoveries", "owed")
    assert total("payments", "amount") == total("invoices", "paid") + 5_640_000
    assert total("recoveries", "owed") - total("recoveries", "came_back") == total("year_end", "recoverable")
    assert total("budget", "recovered") == total("recoveries", "unpaid") + total("recoveries", "came_back")


def test_a_sum_on_the_dashboard_stands_in_the_report_that_it_leads_to(db: Connection) -> None:
    found = {name: made(db, name) for name in dashboard.SHOWN}
    sums = [each for each in dashboard._figures(int(PERIOD), found, []) if each.kind == "money"]
    assert {each.words for each in sums} >= {"累计净核定", "已付"}
    for each in sums:
        name = each.path.removeprefix("/reports/").partition("?")[0] if each.path.startswith("/reports/") else "budget"
        report = made(db, name)
        cells = [cell for row in (*report.sections[0].rows, report.totals or ()) for cell in row]
        assert each.value in cells, each.words


def test_a_red_flag_is_found_decided_and_listed(books: Engine) -> None:
    params = {"period_from": reports.period_span(PERIOD).start, "period_until": reports.period_span(PERIOD).end}
    found = run(books, lambda db: flags.find(db, "flags", params | {"cutoff": acts.cutoff(db)}), "cvl_auditor")
    assert {flag.name for flag in found} <= {path[6:-4] for path in sql.names("flags")}
    first = next(flag for flag in found if flag.name == "same_usage")
    assert "用量同为120.5卡时" in first.evidence

    def decide(name: str, subject: str, verdict: str, why: str = "已核实") -> int:
        asked = (name, subject, verdict, why)
        return run(books, lambda db: flags.decide(db, small.MAKER, params | {"cutoff": acts.cutoff(db)}, *asked))

    act = decide(first.name, first.subject, "watched")
    assert decide(first.name, first.subject, "watched") == act
    assert decide(first.name, first.subject, "cleared") > act
    with pytest.raises(Refused, match="no_flag"):
        decide(first.name, "nobody", "cleared")
    with pytest.raises(Misused, match="bad_verdict"):
        decide(first.name, first.subject, "maybe")
    with pytest.raises(Misused, match="why"):
        decide(first.name, first.subject, "cleared", " ")
    with transaction(books, "cvl_auditor") as db:
        rows = json.loads(written(made(db, "red_flags"), "json"))["rows"]
    assert next(row for row in rows if row["subject"] == first.subject)["verdict"] == "排除"


def test_every_question_about_an_earlier_moment_is_answered_as_it_was_then(
    books: Engine, clone: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    books.dispose()  # a database that is copied has no one on it
    engine = clone(str(books.url.database))
    monkeypatch.setenv("CVL_HOME", str(tmp_path / "home"))
    rich_ledger.go_on(engine, tmp_path)
    answers = [told for _, _, told in SEEN.values()]
    assert len(SEEN) == 2
    for name in ("batches", "disclosures", "invoices", "proposals", "accounts", "budget", "runs"):
        assert len({json.dumps(each[name]) for each in answers}) > 1, f"{name} never changes: nothing is shown by it"
    for moment, day, told in SEEN.values():
        monkeypatch.setenv("CVL_TODAY", day)
        again = questions.answers(engine, moment)
        assert [name for name in told if again.get(name) != told[name]] == []
        assert again.keys() == told.keys()

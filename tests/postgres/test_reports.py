"""Every report on one small ledger: against its golden table, in every format, and its red flags."""

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
from reconciliation import flags, reports
from tests.postgres import small_ledger as small
from voucher import acts
from voucher.database import run, transaction
from voucher.errors import Misused, Refused

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "reports"
PERIOD = "2026"


@pytest.fixture(scope="module")
def books(clone: Callable[[], Engine]) -> Engine:
    """Build the small ledger once; its tests only look."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_TODAY", "2026-08-15")
        engine = clone()
        small.build(engine, 4)
    return engine


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
        "title": document["title"], "columns": document["columns"], "rows": document["rows"][:12],
        "totals": document["totals"], "sheets": sorted(document["sheets"]),
    }  # fmt: skip


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
    pdf = written(report, "pdf")
    assert pdf == written(report, "pdf")
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    assert report.layout.title in text
    assert str(report.cutoff) in text


def test_every_report_has_a_golden_sample() -> None:
    names = {path.removeprefix("reports/").removesuffix(".sql") for path in sql.names("reports")}
    assert names == {path.stem for path in GOLDEN.glob("*.json")}


def test_the_books_of_the_reports_agree_with_each_other(db: Connection) -> None:
    totals = {
        name: table(made(db, name))["totals"] for name in ("settlement_lines", "company_caps", "year_end", "invoices")
    }
    assert totals["settlement_lines"]["granted"] == totals["company_caps"]["granted"] == totals["year_end"]["net"]
    assert totals["invoices"]["granted"] == totals["year_end"]["net"]
    assert totals["invoices"]["paid"] == totals["year_end"]["paid"] == table(made(db, "payments"))["totals"]["amount"]


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

"""The monthly report on a small ledger: it agrees with the books, and says where they do not agree."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO, StringIO
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from reconciliation import invariants, reports
from reconciliation.document import Report
from tests.postgres import small_ledger as small
from tests.postgres.test_reconciliation import CHANGES, LAST_RUN, OF_A_RUN, tampered, value
from voucher import acts
from voucher.database import transaction
from voucher.errors import Misused, Refused
from voucher.money import format_yuan


@pytest.fixture
def auditor(books: Engine) -> Iterator[Connection]:
    with transaction(books, "cvl_auditor") as db:
        yield db


def made(db: Connection, period: str = "2026-08", cutoff: int | None = None) -> Report:
    return reports.run(db, "reconciliation", period, cutoff or acts.cutoff(db), "maker1")


def written(report: Report, format_: str) -> bytes:
    target = BytesIO()
    reports.FORMATS[format_](report, target)
    return target.getvalue()


def table(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(written(report, "json"))
    return document


def test_every_report_has_a_readable_header() -> None:
    assert reports.names()["reconciliation"] == "月度对账表"
    for name in reports.names():
        layout = reports.layout(name)
        assert layout.basis
        assert len({column.title for column in layout.columns}) == len(layout.columns)


def test_the_report_agrees_with_the_books(auditor: Connection) -> None:
    report = made(auditor)
    assert report.differences == ()
    totals = table(report)["totals"]
    uploads = "SELECT sum({}) FROM upload WHERE holds = 'invoices' AND received_on >= '2026-08-01'"
    for column, stated in (("uploaded", "rows"), ("accepted", "accepted"), ("rejected", "rejected"), ("held", "held")):
        assert totals[column] == value(auditor, uploads.format(stated))
    fen = value(auditor, "SELECT sum(granted_fen) FROM run_line")
    assert totals["granted"] == format_yuan(int(fen))
    paid = value(auditor, "SELECT sum(amount_fen) FROM payment")
    assert paid > 0
    assert totals["payable"] == format_yuan(int(fen - paid))
    room = value(auditor, "SELECT sum(balance_fen) FROM account WHERE kind = 'voucher'")
    assert totals["room"] == format_yuan(int(room))


def test_each_row_of_a_file_is_counted_in_its_providers_and_its_buyers_line(auditor: Connection) -> None:
    for period, files in (("2026-07", 3), ("2026-08", 3), ("2026", 6)):
        document = table(made(auditor, period))
        assert len(document["rows"]) == 12 * 3 + (1 if period == "2026-08" else 2 if period == "2026" else 1) * 3
        for row in [*document["rows"], document["totals"]]:
            outcomes = ("accepted", "duplicate", "conflict", "rejected", "held")
            assert row["uploaded"] == sum(row[outcome] for outcome in outcomes)
        assert sum(row["uploaded"] for row in document["sheets"]["按服务商"]) == document["totals"]["uploaded"]
        assert len(document["sheets"]["按服务商"]) == 3
        assert files


def test_an_unknown_buyer_is_shown_as_the_row_names_it(auditor: Connection) -> None:
    july, august = table(made(auditor, "2026-07")), table(made(auditor, "2026-08"))
    stranger = [row for row in july["rows"] if row["company_code"] == small.STRANGER]
    assert [row["company_name"] for row in stranger] == ["合成来历不明公司（未登记）"] * 3
    nobody = [row for row in august["rows"] if row["company_code"] == ""]
    assert {(row["company_name"], row["rejected"]) for row in nobody} == {("未识别企业", 2)}


def test_the_room_of_a_company_stands_once(auditor: Connection) -> None:
    document = table(made(auditor))
    rooms = [row["room"] for row in document["rows"] if row["company_code"] == "915000000000000001"]
    assert rooms == ["0.00", None, None]
    assert "room" not in document["sheets"]["按服务商"][0]


def test_a_month_without_business_still_shows_the_room_of_vouchers(auditor: Connection) -> None:
    document = table(made(auditor, "2026-05"))
    assert len(document["rows"]) == 36
    assert document["totals"]["uploaded"] == 0
    paid = int(value(auditor, "SELECT sum(amount_fen) FROM payment"))
    assert document["totals"]["payable"] == format_yuan(1_200_000_000 - paid)


def test_a_company_without_a_voucher_has_the_cap_of_the_year_as_room(auditor: Connection) -> None:
    first_upload = value(auditor, "SELECT min(s.no) FROM seal AS s INNER JOIN upload AS u ON u.upload_id = s.act_id")
    report = made(auditor, "2026-07", first_upload)
    assert report.differences == ()
    assert table(report)["totals"]["room"] == "12000000.00"
    assert table(report)["totals"]["granted"] == "0.00"


@pytest.mark.parametrize("format_", ["xlsx", "csv", "json"])
def test_the_same_cutoff_gives_the_same_bytes_whatever_came_after(clone: Callable[[], Engine], format_: str) -> None:
    engine = clone()
    small.register(engine, 4)
    small.upload(engine, small.PROVIDERS[0], 0, 9, 4, bad=1)
    with transaction(engine, "cvl_auditor") as db:
        cutoff = acts.cutoff(db)
        before = written(made(db), format_)
    small.upload(engine, small.PROVIDERS[1], 100, 9, 4, bad=1)
    small.appropriate(engine, 2026, 1_000_000_000)
    small.settled(engine, date(2026, 6, 30))
    with transaction(engine, "cvl_auditor") as db:
        assert written(made(db, cutoff=cutoff), format_) == before
        assert written(made(db), format_) != before


ACCEPT_HELD = (
    "INSERT INTO invoice SELECT i.company_id, 900000, h.invoice_number, 'blue', NULL, i.provider_id, i.issued_on,"
    " h.received_on, i.span, '', 10000, 600, 10600, NULL, 'template', 'x', :act, 26 FROM held_row AS h, invoice AS i"
    " WHERE h.upload_id = :upload AND h.waits_for = 'span' AND i.number = (SELECT min(number) FROM invoice)",
    "INSERT INTO invoice_number SELECT number, company_id, invoice_id FROM invoice WHERE invoice_id = 900000",
    "INSERT INTO invoice_line SELECT company_id, invoice_id, 1, '3040203000000000000', '', '', '', NULL, 10000, 600,"
    " 600, 10600, NULL, '', h.sheet, h.row_no, h.upload_id FROM invoice, held_row AS h"
    " WHERE invoice_id = 900000 AND h.upload_id = :upload AND h.invoice_number = number",
)


def test_a_held_row_accepted_by_a_later_act_keeps_all_counts_right(clone: Callable[[], Engine]) -> None:
    engine = clone()
    small.register(engine, 4)
    held = small.upload(engine, small.PROVIDERS[0], 0, 9, 4, bad=1)
    with transaction(engine, "cvl_auditor") as db:
        cutoff = acts.cutoff(db)
        before = table(made(db))["totals"]
    with transaction(engine) as db, acts.act(db, "upload", "later", "maker1", 1) as act:
        for statement in ACCEPT_HELD:
            small.execute(db, statement.replace("26 FROM", "1 FROM"), act=act.act_id, upload=held)
    with transaction(engine, "cvl_auditor") as db:
        assert invariants.check_all(db) == []
        after = table(made(db))
        assert (before["held"], after["totals"]["held"]) == (1, 0)
        assert after["totals"]["accepted"] == before["accepted"] + 1
        assert after["totals"]["uploaded"] == before["uploaded"]
        assert after["differences"] == []
        assert table(made(db, cutoff=cutoff))["totals"] == before


def test_differences_stand_on_their_own_sheet_with_the_act(books: Engine) -> None:
    with tampered(books, OF_A_RUN) as db:
        report = made(db)
        changed = value(db, "SELECT s.no FROM decision AS d INNER JOIN seal AS s ON s.act_id = d.act_id"
                        f" WHERE d.proposal_act_id = {LAST_RUN}")  # fmt: skip
    assert {found.title for found in report.differences} >= {
        "封存摘要逐号相符",
        "账户余额与转账一致",
        "结算行与转账逐笔一致",
    }
    assert any(found.act_no == changed for found in report.differences)
    assert "有" in next(fact.text for fact in report.face if fact.label == "核对")
    assert "封存摘要逐号相符" in written(report, "csv").decode("utf-8-sig")


def test_failures_of_later_acts_are_left_to_later_reports(books: Engine) -> None:
    with tampered(books, CHANGES["upload"]) as db:
        assert made(db).differences != ()
        assert made(db, "2026-07", 11).differences == ()


def test_csv_begins_with_the_header_and_ends_with_what_the_face_says(auditor: Connection) -> None:
    raw = written(made(auditor), "csv")
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(StringIO(raw.decode("utf-8-sig"), newline="")))
    assert lines[0][:3] == ["企业", "服务商", "上传行数"]
    assert lines[40][0] == "合计"
    assert ["编制人", "maker1"] in lines
    assert lines[-1] == ["差异", "核对一致，无差异"]


@pytest.mark.parametrize("period", ["2026-13", "2026-8", "26", "9999", "", "2026-08-01"])
def test_a_period_that_is_none_is_refused(auditor: Connection, period: str) -> None:
    with pytest.raises(Misused, match="bad_period"):
        made(auditor, period)


def test_an_unknown_report_and_an_unknown_cutoff_are_refused(auditor: Connection) -> None:
    with pytest.raises(Misused, match="no_report"):
        reports.run(auditor, "nothing", "2026-08", 3, "maker1")
    with pytest.raises(Refused, match="no_cutoff"):
        made(auditor, cutoff=999)
    with pytest.raises(Refused, match="no_cutoff") as before:
        reports.run(auditor, "reconciliation", "2026-08", 0, "maker1")
    assert "在该时刻账上还没有任何记录" in before.value.message

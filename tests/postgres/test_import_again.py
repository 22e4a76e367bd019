"""The import of invoice files: the same file again, a dry run, the documents that are kept, the return file."""

import hashlib
import os
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from importers import returns
from importers.columns import RETURN_COLUMNS
from importers.originals import stored
from tests.postgres.desk import (
    HEADER,
    Desk,
    companies,
    counts,
    csv_bytes,
    line,
    real,
    said,
    statuses,
    table,
    xlsx_bytes,
)

# the same file again


def test_the_same_file_again_gives_the_first_answer(desk: Desk) -> None:
    rows = [line("a"), line("b", seller="Q")]
    first = desk.take(rows)
    before = desk.everything()
    again = desk.take(rows, name="换个名字.csv")
    assert (again.upload_id, again.fresh, again.exit_status) == (first.upload_id, False, 0)
    assert (counts(again), said(again)) == (counts(first), said(first))
    assert desk.everything() == before


def test_the_same_file_of_another_provider_is_another_upload(desk: Desk) -> None:
    rows = [line("a")]
    first = desk.take(rows)
    second = desk.take(rows, provider=line("a")["供方统一社会信用代码"])
    assert second.upload_id != first.upload_id
    assert counts(second) == {"duplicate": 1}


def test_rejected_rows_are_checked_anew_once_there_is_news(desk: Desk) -> None:
    rows = [line("a"), line("b", buyer="E"), line("c", issued="2026-02-30")]
    first = desk.take(rows)
    assert statuses(first) == {real("a"): "accepted", real("b"): "rejected", real("c"): "rejected"}
    unchanged = desk.take(rows)
    assert (unchanged.upload_id, unchanged.fresh, counts(unchanged)) == (first.upload_id, False, counts(first))
    assert desk.rows("SELECT count(*) FROM upload") == [(1,)]
    desk.register(companies("E"))
    second = desk.take(rows)
    assert second.fresh
    assert statuses(second) == {real("a"): "duplicate", real("b"): "accepted", real("c"): "rejected"}
    third = desk.take(rows)
    assert (third.upload_id, third.fresh) == (second.upload_id, False)
    assert desk.rows("SELECT count(*) FROM upload") == [(2,)]
    assert [number for number, _ in desk.accepted()] == [real("a"), real("b")]


def test_a_file_that_is_clean_at_last_stays_clean(desk: Desk) -> None:
    rows = [line("b", buyer="E")]
    assert desk.take(rows).exit_status == 3
    desk.register(companies("E"))
    assert desk.take(rows).exit_status == 0
    assert desk.take(rows).exit_status == 0


def test_a_file_that_is_rejected_for_another_reason_now_is_another_upload(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [line("b", buyer="E")]
    desk.take(rows)
    desk.register(companies("E"))
    monkeypatch.setenv("CVL_TODAY", "2027-04-01")
    outcome = desk.take(rows)
    assert (outcome.fresh, said(outcome)) == (True, [(2, "past_claim_deadline")])
    (late,) = outcome.problems
    assert (late.column, late.value) == ("服务起始日", "2026-07-01")  # the cell, not the invoice's number


def test_a_held_row_that_was_accepted_since_is_news_for_its_file(desk: Desk) -> None:
    rows = [line("r", "-1.00", red_of="a")]
    first = desk.take(rows)
    desk.take([line("a")])
    again = desk.take(rows)
    assert (again.fresh, counts(again)) == (True, {"duplicate": 1})
    assert again.upload_id != first.upload_id


# a dry run


def test_a_dry_run_says_the_same_and_leaves_no_trace(desk: Desk) -> None:
    desk.take([line("r", "-1.00", red_of="a")])
    rows = [line("a"), line("b", buyer="X"), line("c", seller="Q")]
    before, kept = desk.everything(), desk.documents()
    rehearsed = desk.take(rows, dry_run=True)
    assert (desk.everything(), desk.documents()) == (before, kept)
    assert rehearsed.upload_id is None
    taken = desk.take(rows)
    assert (counts(rehearsed), rehearsed.problems) == (counts(taken), taken.problems)
    assert (rehearsed.failing, rehearsed.header) == (taken.failing, taken.header)
    assert statuses(rehearsed) == statuses(taken)


def test_a_dry_run_of_a_known_file_gives_the_first_answer(desk: Desk) -> None:
    first = desk.take([line("a")])
    again = desk.take([line("a")], dry_run=True)
    assert (again.upload_id, again.fresh) == (first.upload_id, False)


# the documents


def test_the_bytes_of_a_document_are_kept_as_they_came(desk: Desk) -> None:
    data = csv_bytes(table([line("a")]), "gb18030")
    outcome = desk.take(data)
    assert stored(outcome.sha256).read_bytes() == data
    assert outcome.sha256 == hashlib.sha256(data).hexdigest()
    assert desk.rows("SELECT encode(sha256, 'hex'), size_bytes FROM document ORDER BY act_id DESC LIMIT 1") == [
        (outcome.sha256, len(data))
    ]
    (sm3,) = desk.rows("SELECT encode(sm3, 'hex') FROM document WHERE sha256 = decode(:x, 'hex')", x=outcome.sha256)
    assert sm3 == (hashlib.new("sm3", data).hexdigest(),)
    assert stored(outcome.sha256).stat().st_mode & 0o777 == 0o600


def test_a_file_name_that_is_no_text_is_no_accident(desk: Desk) -> None:
    desk.take([line("a")], name=os.fsdecode(b"\xff\xfe.csv"))
    assert desk.rows("SELECT file_name FROM upload") == [("??.csv",)]


def test_a_file_that_is_not_taken_is_not_kept(desk: Desk) -> None:
    kept = desk.documents()
    for data in (b"", b"hello\n", b"PK\x03\x04", csv_bytes([HEADER])):
        assert desk.take(data).exit_status == 1
    assert desk.documents() == kept


def test_a_document_that_is_known_stays_when_it_comes_as_something_else(desk: Desk) -> None:
    register = csv_bytes(companies("E"))
    desk.register(register)
    kept = desk.documents()
    assert desk.take(register).exit_status == 1
    assert desk.documents() == kept


# the return file


def _rows_of(path: Path) -> list[list[str]]:
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
    return [[str(cell) for cell in row] for row in sheet.to_python()]


def test_the_return_file_holds_the_failing_rows_with_what_is_wrong(desk: Desk, tmp_path: Path) -> None:
    desk.take([line("d")])
    bad = line("b", issued="2026-02-30", number="2.65E+19")
    outcome = desk.take([line("a"), bad, line("d"), line("d", "5.00"), line("e", buyer="X")])
    assert counts(outcome) == {"accepted": 1, "rejected": 2, "conflict": 2}
    path = tmp_path / "退回.xlsx"
    assert returns.write(path, outcome.header, outcome.failing, outcome.problems) == 4
    header, first, *others = _rows_of(path)
    assert header == [*HEADER, *RETURN_COLUMNS]
    assert dict(zip(HEADER, first, strict=False)) == bad
    assert first[-3:-1] == ["3", "number_lost、bad_day"]
    assert "发票号码" in first[-1]
    assert "2026-02-30" in first[-1]
    assert [row[-3] for row in others] == ["4", "5", "6"]


def test_a_corrected_return_file_goes_back_in_as_it_is(desk: Desk, tmp_path: Path) -> None:
    rows = [line("a"), line("b", issued="2026-02-30"), line("c", gross="1.00"), line("c", "7.00")]
    outcome = desk.take(rows)
    assert counts(outcome) == {"accepted": 1, "rejected": 3}
    path = tmp_path / "退回.xlsx"
    returns.write(path, outcome.header, outcome.failing, outcome.problems)
    assert counts(desk.take(path)) == {"rejected": 3}
    header, *body = _rows_of(path)
    body[0][header.index("开票日期")] = "2026-02-28"
    body[1][header.index("价税合计")] = "1060.00"
    again = desk.take(xlsx_bytes([header, *body]))
    assert (again.exit_status, counts(again), said(again)) == (0, {"accepted": 3}, [])
    assert len(desk.accepted()) == 3


def test_a_return_file_of_a_return_file_names_its_own_rows(desk: Desk, tmp_path: Path) -> None:
    outcome = desk.take([line("a"), line("b", issued="2026-02-30")])
    path = tmp_path / "退回.xlsx"
    returns.write(path, outcome.header, outcome.failing, outcome.problems)
    again = desk.take(path)
    returns.write(path, again.header, again.failing, again.problems)
    header, row = _rows_of(path)
    assert header == [*HEADER, *RETURN_COLUMNS]
    assert row[-3:-1] == ["2", "bad_day"]


def test_a_return_file_from_a_workbook_keeps_its_amounts_and_days(desk: Desk, tmp_path: Path) -> None:
    row = line("b", buyer="E") | {"不含税金额": 1000.10, "税额": 60.01, "价税合计": 1060.11}
    outcome = desk.take(xlsx_bytes(table([row])), name="月报.xlsx")
    assert said(outcome) == [(2, "unknown_company")]
    path = tmp_path / "退回.xlsx"
    returns.write(path, outcome.header, outcome.failing, outcome.problems)
    desk.register(companies("E"))
    assert counts(desk.take(path)) == {"accepted": 1}
    assert desk.rows("SELECT net_fen, tax_fen FROM invoice") == [(100_010, 6_001)]

"""The import of invoice files, from the bytes on the desk to the books: every outcome of a row, and what follows."""

import hashlib
import os
from datetime import date
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from importers import returns
from importers.columns import RETURN_COLUMNS
from importers.originals import stored
from tests.cases.steps import PARTIES
from tests.postgres.desk import (
    HEADER,
    Cells,
    Desk,
    companies,
    counts,
    csv_bytes,
    line,
    providers,
    real,
    said,
    statuses,
    table,
    xlsx_bytes,
)
from tests.postgres.witness import record_document
from voucher import access
from voucher.access import User
from voucher.database import transaction
from voucher.errors import Misused, Refused

# what is accepted


def test_a_clean_file_is_accepted_in_file_order(desk: Desk) -> None:
    outcome = desk.take([line("b"), line("a", "2000.00"), line("c", buyer="D")])
    assert outcome.exit_status == 0
    assert (outcome.rows, counts(outcome), said(outcome)) == (3, {"accepted": 3}, [])
    assert outcome.format == "CQ-COMPUTE-1"
    assert desk.accepted() == [(real("b"), 1), (real("a"), 2), (real("c"), 3)]
    desk.take([line("d")])
    assert desk.accepted()[-1] == (real("d"), 4)


def test_what_is_in_the_books_is_what_was_in_the_file(desk: Desk) -> None:
    desk.take(
        [
            line("a", "1,234.56", paid="100.00", remark="备注\\一", quantity="12.5", tax="74.07", gross="1,308.63"),
            line("a", "100.00", tax_code="1090511010000000000", item="服务器", rate="免税", tax="0", gross="100"),
        ],
        received_on=date(2026, 8, 3),
    )  # fmt: skip
    header = desk.rows(
        "SELECT i.number, i.kind, p.uscc, c.uscc, i.issued_on, i.received_on, lower(i.span), upper(i.span),"
        " i.contract_no, i.net_fen, i.tax_fen, i.gross_fen, i.paid_fen FROM invoice AS i"
        " INNER JOIN party AS p ON p.party_id = i.provider_id INNER JOIN party AS c ON c.party_id = i.company_id"
    )
    row = line("a")
    parties = row["供方统一社会信用代码"], row["用方统一社会信用代码"]
    days = date(2026, 8, 1), date(2026, 8, 3), date(2026, 7, 1), date(2026, 8, 1)
    assert header == [(real("a"), "blue", *parties, *days, "HT-1", 133_456, 7_407, 140_863, 10_000)]
    lines = desk.rows(
        "SELECT line_no, tax_code, item, CAST(usage_qty AS text), net_fen, rate_bp, tax_fen, paid_fen, remark, row_no"
        " FROM invoice_line ORDER BY line_no"
    )
    assert lines == [
        (1, row["税收分类编码"], "智算算力服务", "12.5", 123_456, 600, 7_407, 10_000, "备注\\一", 2),
        (2, "1090511010000000000", "服务器", "1", 10_000, None, 0, None, "", 3),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encoding_of_a_csv_makes_no_difference(desk: Desk, encoding: str) -> None:
    outcome = desk.take(csv_bytes(table([line("a", item="䶮算力服务")]), encoding))
    assert (counts(outcome), said(outcome)) == ({"accepted": 1}, [])
    assert desk.rows("SELECT item FROM invoice_line") == [("䶮算力服务",)]


def test_the_same_rows_as_csv_and_as_a_workbook_are_the_same_invoices(desk: Desk) -> None:
    rows = [line("a"), line("b", "2000.00")]
    desk.take(rows)
    numeric = [row | {"不含税金额": float(row["不含税金额"]), "用量": 1.0} for row in rows]
    outcome = desk.take(xlsx_bytes(table(numeric)), name="月报.csv")
    assert (outcome.exit_status, counts(outcome), said(outcome)) == (0, {"duplicate": 2}, [])


def test_blank_rows_and_sums_are_not_rows(desk: Desk) -> None:
    blank = dict.fromkeys(HEADER, "")
    outcome = desk.take([line("a"), blank, line("b"), blank | {"模板版本": "合 计", "价税合计": "2120.00"}])
    assert (outcome.rows, counts(outcome)) == (2, {"accepted": 2})
    assert desk.rows("SELECT row_no FROM invoice_line ORDER BY row_no") == [(2,), (4,)]


def test_a_buyer_that_was_never_qualified_is_no_unknown_company(desk: Desk) -> None:
    desk.register(companies("E", since="2026-01-01", until="2025-12-31"))
    assert counts(desk.take([line("a", buyer="E")])) == {"accepted": 1}


# how a row can end


def test_every_outcome_is_counted_and_the_counts_add_up(desk: Desk) -> None:
    desk.take([line("a"), line("b")])
    outcome = desk.take(
        [
            line("a"),
            line("b", "999.00"),
            line("c"),
            line("c", "5.00"),
            line("d", buyer="X"),
            line("e", since="", until=""),
            line("f", red_of="g", net="-1.00"),
            line("h", issued="2026-02-30"),
        ]
    )
    assert outcome.exit_status == 3
    assert outcome.rows == 8
    assert outcome.counts == {"accepted": 2, "duplicate": 1, "conflict": 1, "rejected": 2, "held": 2}
    assert said(outcome) == [
        (3, "conflict_invoice"), (6, "unknown_company"), (7, "service_span_missing"), (8, "original_missing"),
        (9, "bad_day"),
    ]  # fmt: skip
    assert statuses(outcome) == {
        real("a"): "duplicate", real("b"): "conflict", real("c"): "accepted", real("d"): "rejected",
        real("e"): "held", real("f"): "held", real("h"): "rejected",
    }  # fmt: skip
    assert [row["row_no"] for row in outcome.failing] == [3, 6, 7, 8, 9]


def test_an_invoice_stands_or_falls_whole(desk: Desk) -> None:
    outcome = desk.take([line("a"), line("b"), line("a", "5.00", tax_code="12"), line("a", "6.00")])
    assert counts(outcome) == {"accepted": 1, "rejected": 3}
    assert said(outcome) == [(2, "sibling_row_failed"), (4, "bad_tax_code"), (5, "sibling_row_failed")]
    assert "第4行" in outcome.problems[0].message
    assert desk.accepted() == [(real("b"), 1)]


def test_the_rows_of_an_invoice_agree_on_its_header(desk: Desk) -> None:
    outcome = desk.take([line("a"), line("a", "5.00", buyer="D"), line("b"), line("b", "6.00", contract="HT-2")])
    assert counts(outcome) == {"rejected": 4}
    assert said(outcome) == [(row, "header_fields_differ") for row in (2, 3, 4, 5)]
    columns = [problem.column for problem in outcome.problems]
    assert columns == ["用方统一社会信用代码、用方名称"] * 2 + ["合同编号"] * 2


def test_a_span_on_one_row_only_is_a_header_that_differs(desk: Desk) -> None:
    outcome = desk.take([line("a"), line("a", "5.00", since="", until="")], month="2026-07")
    assert [problem.column for problem in outcome.problems] == ["服务起始日、服务截止日"] * 2


def test_two_identical_rows_in_one_file_are_not_two_lines(desk: Desk) -> None:
    outcome = desk.take([line("a"), line("b"), line("a"), line("a", "5.00")])
    assert counts(outcome) == {"accepted": 1, "rejected": 3}
    assert said(outcome) == [(2, "sibling_row_failed"), (4, "identical_rows"), (5, "sibling_row_failed")]
    assert ["第4行" in p.message for p in outcome.problems] == [True, False, True]  # the row that is to be mended
    assert "第2行" in outcome.problems[1].message


def test_rows_that_differ_only_in_the_remark_are_two_lines(desk: Desk) -> None:
    assert counts(desk.take([line("a"), line("a", remark="第二条")])) == {"accepted": 2}


def test_an_accepted_number_with_the_same_content_is_a_duplicate(desk: Desk) -> None:
    desk.take([line("a"), line("a", "5.00")])
    outcome = desk.take([line("a", "5.00"), line("b"), line("a")])
    assert (counts(outcome), said(outcome)) == ({"accepted": 1, "duplicate": 2}, [])
    assert outcome.exit_status == 0
    assert len(desk.accepted()) == 2


@pytest.mark.parametrize(
    ("other", "word"),
    [
        (line("a", "1000.01"), "已受理价税合计1060.00元，这次1060.01元"),
        (line("a", item="别的服务"), "金额相同，其他内容不同"),
        (line("a", until="2026-07-30"), "金额相同，其他内容不同"),
        (line("a", buyer="D"), "金额相同，其他内容不同"),
    ],
    ids=["money", "item", "span", "buyer"],
)
def test_an_accepted_number_with_other_content_is_a_conflict(desk: Desk, other: Cells, word: str) -> None:
    desk.take([line("a")])
    before = desk.rows("SELECT * FROM invoice_line")
    outcome = desk.take([other])
    assert (outcome.exit_status, counts(outcome)) == (3, {"conflict": 1})
    assert said(outcome) == [(2, "conflict_invoice")]
    assert word in outcome.problems[0].message
    assert desk.rows("SELECT * FROM invoice_line") == before


def test_a_line_more_or_less_is_a_conflict(desk: Desk) -> None:
    desk.take([line("a"), line("a", "5.00")])
    assert counts(desk.take([line("a")])) == {"conflict": 1}
    assert counts(desk.take([line("a"), line("a", "5.00"), line("a", "6.00")])) == {"conflict": 3}


def test_an_unknown_buyer_is_rejected_and_the_rest_taken(desk: Desk) -> None:
    outcome = desk.take([line("a", buyer="X"), line("b")])
    assert counts(outcome) == {"accepted": 1, "rejected": 1}
    (problem,) = outcome.problems
    assert (problem.row, problem.code, problem.invoice_number) == (2, "unknown_company", real("a"))
    assert problem.value == line("a", buyer="X")["用方统一社会信用代码"]


def test_one_may_only_hand_in_invoices_of_the_provider_named(desk: Desk) -> None:
    p = line("a")["供方统一社会信用代码"]
    outcome = desk.take([line("a", seller="Q"), line("b")], provider=p)
    assert counts(outcome) == {"accepted": 1, "rejected": 1}
    assert said(outcome) == [(2, "not_the_uploader")]
    assert counts(desk.take([line("c", seller="Q"), line("d")])) == {"accepted": 2}


def test_an_invoice_whose_sum_is_too_large_is_rejected_and_not_an_accident(desk: Desk) -> None:
    huge = "90000000000.00"
    outcome = desk.take([line("a", huge, item=str(i)) for i in range(3)] + [line("b")])
    assert counts(outcome) == {"accepted": 1, "rejected": 3}
    assert said(outcome) == [(row, "amount_too_large") for row in (2, 3, 4)]
    assert outcome.problems[0].value == "286200000000.00"


def test_an_invoice_below_zero_in_all_is_rejected_a_discount_line_is_not(desk: Desk) -> None:
    outcome = desk.take([line("a", "100.00"), line("a", "-10.00"), line("b", "100.00"), line("b", "-100.01")])
    assert counts(outcome) == {"accepted": 2, "rejected": 2}
    assert said(outcome) == [(4, "blue_negative"), (5, "sibling_row_failed")]
    assert desk.rows("SELECT net_fen FROM invoice") == [(9000,)]


# warnings


def test_a_provider_that_was_never_listed_is_one_warning(desk: Desk) -> None:
    outcome = desk.take([line("a", seller="Q"), line("b"), line("c", seller="Q")])
    assert (outcome.exit_status, counts(outcome)) == (0, {"accepted": 3})
    assert [(p.row, p.code, p.severity) for p in outcome.problems] == [(2, "not_listed", "warning")]
    assert said(desk.take([line("d", seller="Q")])) == [(2, "not_listed")]
    desk.register(providers("Q"))
    assert said(desk.take([line("e", seller="Q")])) == []


def test_another_name_under_the_same_code_is_one_warning_each_party(desk: Desk) -> None:
    outcome = desk.take(
        [line("a", buyer_name="丙旧名"), line("b", buyer_name="丙旧名"), line("c", seller_name="甲旧名")]
    )
    assert (outcome.exit_status, counts(outcome)) == (0, {"accepted": 3})
    assert [(p.row, p.code, p.column, p.value) for p in outcome.problems] == [
        (2, "name_differs", "用方名称", "丙旧名"),
        (4, "name_differs", "供方名称", "甲旧名"),
    ]
    assert all(line("a")[p.column] in p.message for p in outcome.problems)


# red-letters


def test_a_red_letter_before_its_blue_is_held_and_follows_it(desk: Desk) -> None:
    first = desk.take([line("r", "-37.00", red_of="a")], received_on=date(2026, 8, 4))
    assert (first.exit_status, counts(first), said(first)) == (3, {"held": 1}, [(2, "original_missing")])
    assert desk.accepted() == []
    second = desk.take([line("a", "100.00"), line("b")])
    assert counts(second) == {"accepted": 2}
    assert desk.accepted() == [(real("a"), 1), (real("b"), 2), (real("r"), 3)]
    desk.take([line("c")])
    assert desk.accepted()[-1] == (real("c"), 4)
    (red,) = desk.rows("SELECT received_on, net_fen, act_id FROM invoice WHERE kind = 'red'")
    assert red == (date(2026, 8, 4), -3700, second.upload_id)


def test_held_red_letters_come_after_the_acts_own_by_number(desk: Desk) -> None:
    for symbol in ("y", "x"):
        desk.take([line(symbol, "-1.00", red_of="a")])
    desk.take([line("b"), line("a")])
    assert [number for number, _ in desk.accepted()] == [real(s) for s in ("b", "a", "x", "y")]
    assert [no for _, no in desk.accepted()] == [1, 2, 3, 4]


def test_a_red_letter_in_the_file_of_its_blue_is_accepted_even_above_it(desk: Desk) -> None:
    assert counts(desk.take([line("r", "-37.00", red_of="a"), line("a", "100.00")])) == {"accepted": 2}
    assert [number for number, _ in desk.accepted()] == [real("r"), real("a")]


def test_a_red_letter_whose_blue_is_rejected_waits(desk: Desk) -> None:
    outcome = desk.take([line("a", buyer="X"), line("r", "-1.00", red_of="a")])
    assert counts(outcome) == {"rejected": 1, "held": 1}


@pytest.mark.parametrize(
    ("reds", "ends"),
    [
        (["-60.00", "-40.00"], ["accepted", "accepted"]),
        (["-60.00", "-40.01"], ["accepted", "rejected"]),
        (["-60.00", "-50.00", "-40.00"], ["accepted", "rejected", "accepted"]),
        (["-100.01", "-100.00"], ["rejected", "accepted"]),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_the_red_letter_that_passes_its_blue_is_rejected(
    desk: Desk, reds: list[str], ends: list[str], together: bool
) -> None:
    rows = [line(f"r{i}", net, red_of="a") for i, net in enumerate(reds)]
    if together:
        outcome = desk.take([line("a", "100.00"), *rows])
        assert [statuses(outcome)[row["发票号码"]] for row in rows] == ends
    else:
        desk.take([line("a", "100.00")])
        for row, end in zip(rows, ends, strict=True):
            outcome = desk.take([row])
            assert statuses(outcome) == {row["发票号码"]: end}
            assert said(outcome) == ([(2, "red_exceeds_blue")] if end == "rejected" else [])


@pytest.mark.parametrize(
    ("net", "tax", "gross"),
    [("-50.01", "-2.99", "-53.00"), ("-49.99", "-3.01", "-53.00"), ("-50.00", "-3.01", "-53.01")],
    ids=["net", "tax", "gross"],
)
@pytest.mark.parametrize("together", [True, False])
def test_red_letters_take_neither_net_nor_tax_nor_gross_below_zero(
    desk: Desk, net: str, tax: str, gross: str, together: bool
) -> None:
    rows = [line("r", "-50.00", red_of="a"), line("s", net, red_of="a", tax=tax, gross=gross, rate="")]
    desk.take([line("a", "100.00"), *([] if together else rows[:1])])
    outcome = desk.take(rows if together else rows[1:])
    assert said(outcome) == [(3 if together else 2, "red_exceeds_blue")]


def test_held_red_letters_that_pass_their_blue_are_rejected_when_it_comes(desk: Desk) -> None:
    desk.take([line("r", "-60.00", red_of="a"), line("s", "-60.00", red_of="a")])
    outcome = desk.take([line("a", "100.00")])
    assert [number for number, _ in desk.accepted()] == [real("a"), real("r")]
    assert [(p.code, p.invoice_number) for p in outcome.problems] == [("red_exceeds_blue", real("s"))]


def test_a_red_letter_has_the_parties_of_its_blue(desk: Desk) -> None:
    desk.take([line("a", "100.00")])
    outcome = desk.take([line("r", "-1.00", red_of="a", buyer="D"), line("s", "-1.00", red_of="a", seller="Q")])
    assert counts(outcome) == {"rejected": 2}
    assert [row for row in said(outcome) if row[1] == "red_parties_differ"] == [
        (2, "red_parties_differ"),
        (3, "red_parties_differ"),
    ]


def test_a_red_letter_needs_no_span_and_is_never_late(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.take([line("a", "100.00", since="2026-01-01", until="2026-01-31")])
    monkeypatch.setenv("CVL_TODAY", "2028-04-01")
    outcome = desk.take([line("r", "-1.00", red_of="a", since="", until="", issued="2026-09-01")])
    assert counts(outcome) == {"accepted": 1}


def test_of_two_uploads_of_a_held_red_letter_the_newest_counts(desk: Desk) -> None:
    desk.take([line("r", "-10.00", red_of="a")], received_on=date(2026, 8, 4))
    desk.take([line("r", "-20.00", red_of="a")], received_on=date(2026, 8, 5))
    desk.take([line("a", "100.00")])
    assert desk.rows("SELECT net_fen, received_on FROM invoice WHERE kind = 'red'") == [(-2000, date(2026, 8, 4))]


def test_a_held_red_letter_is_never_accepted_twice(desk: Desk) -> None:
    desk.take([line("r", "-10.00", red_of="a")])
    desk.take([line("a", "100.00")])
    assert counts(desk.take([line("a", "100.00"), line("b")])) == {"accepted": 1, "duplicate": 1}
    assert [number for number, _ in desk.accepted()] == [real("a"), real("r"), real("b")]


def test_a_held_red_letter_of_several_rows_comes_whole(desk: Desk) -> None:
    desk.take([line("r", "-10.00", red_of="a"), line("r", "-20.00", red_of="a")])
    desk.take([line("a", "100.00")])
    assert desk.rows("SELECT line_no, net_fen FROM invoice_line WHERE net_fen < 0 ORDER BY line_no") == [
        (1, -1000),
        (2, -2000),
    ]


# the service span


def test_an_invoice_without_a_span_waits_for_one_and_keeps_its_first_day(desk: Desk) -> None:
    held = desk.take([line("a", since="", until="")], received_on=date(2026, 8, 2))
    assert (counts(held), said(held)) == ({"held": 1}, [(2, "service_span_missing")])
    outcome = desk.take([line("a")], received_on=date(2026, 8, 14))
    assert counts(outcome) == {"accepted": 1}
    assert desk.rows("SELECT received_on, lower(span) FROM invoice") == [(date(2026, 8, 2), date(2026, 7, 1))]


def test_the_service_month_fills_spans_that_are_missing(desk: Desk) -> None:
    outcome = desk.take([line("a", since="", until=""), line("b")], month="2026-06")
    assert counts(outcome) == {"accepted": 2}
    spans = desk.rows("SELECT lower(span), upper(span) FROM invoice ORDER BY number")
    assert spans == [(date(2026, 6, 1), date(2026, 7, 1)), (date(2026, 7, 1), date(2026, 8, 1))]


def test_the_same_file_with_a_service_month_is_another_upload(desk: Desk) -> None:
    rows = [line("a", since="", until="")]
    first = desk.take(rows, received_on=date(2026, 8, 2))
    second = desk.take(rows, month="2026-07")
    assert (counts(first), counts(second)) == ({"held": 1}, {"accepted": 1})
    assert second.upload_id != first.upload_id
    assert desk.rows("SELECT received_on FROM invoice") == [(date(2026, 8, 2),)]


def test_a_red_letter_waits_as_long_as_its_blue_does(desk: Desk) -> None:
    assert counts(desk.take([line("a", since="", until=""), line("r", "-1.00", red_of="a")])) == {"held": 2}
    desk.take([line("a")])
    assert [number for number, _ in desk.accepted()] == [real("a"), real("r")]


# the claim deadline


@pytest.mark.parametrize(
    ("since", "until", "day", "end"),
    [
        ("2026-12-01", "2026-12-31", "2027-03-31", "accepted"),
        ("2026-12-01", "2026-12-31", "2027-04-01", "rejected"),
        ("2026-12-01", "2027-01-31", "2027-04-01", "accepted"),
        ("2025-12-01", "2026-12-31", "2027-04-01", "rejected"),
        ("2025-01-01", "2025-06-30", "2027-04-01", "accepted"),
        ("2027-12-01", "2028-01-31", "2028-04-01", "rejected"),
    ],
    ids=["last day", "late", "one year of two is late", "both years are late", "no covered day", "days after"],
)
def test_an_invoice_is_rejected_when_all_of_it_is_late(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, since: str, until: str, day: str, end: str
) -> None:
    monkeypatch.setenv("CVL_TODAY", day)
    outcome = desk.take([line("a", since=since, until=until)])
    assert counts(outcome) == {end: 1}
    assert said(outcome) == ([(2, "past_claim_deadline")] if end == "rejected" else [])
    if end == "rejected":
        assert day in outcome.problems[0].message


def test_a_claim_in_time_for_one_programme_is_not_late(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_TODAY", "2027-04-01")
    rows = [line("a", since="2026-12-01", until="2026-12-31")]
    assert counts(desk.take(rows, dry_run=True)) == {"rejected": 1}
    with transaction(desk.engine) as db:
        changes = {"claim_deadline": "06-30", "eligible_tax_codes": ["30402039"]}
        record_document(db, changes, id="other.1", programme="other")
    assert counts(desk.take(rows)) == {"accepted": 1}


def test_a_policy_that_was_replaced_from_its_first_day_is_not_in_force(desk: Desk) -> None:
    with transaction(desk.engine) as db:
        changes = {"from": date(2025, 12, 1), "claim_deadline": "06-30"}
        record_document(db, changes, id="earlier.1", supersedes="cq-2025-12-08.1")
    assert counts(desk.take([line("a", since="2025-12-01", until="2025-12-24")])) == {"rejected": 1}
    assert counts(desk.take([line("b", since="2026-01-01", until="2026-01-31")])) == {"accepted": 1}


def test_a_maker_may_record_the_day_on_which_a_claim_came_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_TODAY", "2027-04-02")
    rows = [line("a", since="2026-12-01", until="2026-12-31")]
    assert counts(desk.take(rows, received_on=date(2027, 3, 31), dry_run=True)) == {"accepted": 1}
    assert counts(desk.take(rows)) == {"rejected": 1}


def test_an_invoice_held_in_time_is_in_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_TODAY", "2027-03-31")
    desk.take([line("a", since="", until="")])
    monkeypatch.setenv("CVL_TODAY", "2027-04-01")
    outcome = desk.take([line(s, since="2026-12-01", until="2026-12-31") for s in ("a", "b")])
    assert statuses(outcome) == {real("a"): "accepted", real("b"): "rejected"}


# who hands in, and when


@pytest.fixture
def seller(desk: Desk) -> User:
    """Give the login of P."""
    with transaction(desk.engine) as db:
        return access.add(db, "admin1", "seller1", "provider", PARTIES["P"].uscc)


def test_a_provider_hands_in_its_own_invoices_only(desk: Desk, seller: User) -> None:
    outcome = desk.take([line("a"), line("b", seller="Q")], seller)
    assert counts(outcome) == {"accepted": 1, "rejected": 1}
    assert said(outcome) == [(3, "not_the_uploader")]
    with pytest.raises(Refused, match="not_your_file"):
        desk.take([line("c")], seller, provider=line("c", seller="Q")["供方统一社会信用代码"])


def test_a_provider_may_not_back_date(desk: Desk, seller: User) -> None:
    with pytest.raises(Refused, match="back_dated"):
        desk.take([line("a")], seller, received_on=date(2026, 8, 14))
    assert counts(desk.take([line("a")], seller, received_on=date(2026, 8, 15))) == {"accepted": 1}


def test_nothing_is_handed_in_ahead_of_the_day(desk: Desk) -> None:
    with pytest.raises(Misused, match="received_ahead"):
        desk.take([line("a")], received_on=date(2026, 8, 16))
    with pytest.raises(Misused, match="bad_month"):
        desk.take([line("a")], month="2026-13")


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

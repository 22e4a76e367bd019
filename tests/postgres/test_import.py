"""The import of invoice files, from the bytes on the desk to the books: each outcome of a row, and who hands in."""

from datetime import date

import pytest

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
from voucher import access
from voucher.access import User
from voucher.database import transaction
from voucher.errors import Misused, Refused

# what is accepted

HEAD = ("发票号码", "开票日期", "供方统一社会信用代码", "供方名称", "用方统一社会信用代码", "用方名称")
"""What some write on the first row of an invoice only."""


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


def test_a_line_written_below_without_its_head_fails_with_the_invoice_above(desk: Desk) -> None:
    """Number, day and parties stand on the first row only: that row alone is not the invoice."""
    bare = line("a", "-10.00") | dict.fromkeys(HEAD, "")
    nameless = line("b", "50.00") | {"发票号码": ""}
    outcome = desk.take([line("a"), bare, line("c"), nameless, line("d")])
    assert statuses(outcome) == {real("a"): "rejected", real("c"): "accepted", real("d"): "accepted"}
    assert counts(outcome) == {"accepted": 2, "rejected": 3}
    assert {(2, "sibling_row_failed"), (3, "required"), (5, "required")} == set(said(outcome))


def test_a_payment_has_the_sign_of_its_invoice(desk: Desk) -> None:
    rows = [line("a", paid="-0.01"), line("b", paid="0.00"), line("c", paid="5.00"), line("c", paid="-5.00", item="乙")]
    outcome = desk.take(
        [*rows, line("r", "-1.00", red_of="b", paid="1.00"), line("s", "-1.00", red_of="b", paid="-1.00")]
    )
    assert said(outcome) == [(2, "paid_sign"), (6, "paid_sign")]
    assert [each.value for each in outcome.problems] == ["-0.01", "1.00"]
    assert counts(outcome) == {"accepted": 4, "rejected": 2}


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

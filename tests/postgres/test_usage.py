"""Usage annexes through the door: summed by day, held for invoices to come, corrected, and held against the invoice."""

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter
from pyarrow import parquet as pq
from sqlalchemy import Engine

from console import invoices
from importers import accept, returns
from importers.outcome import Outcome
from reconciliation import invariants
from tests.postgres.desk import MAKER, Desk, companies, line, providers, real, said, table, xlsx_bytes
from tests.samples.usage import ALIBABA, CQ, HUAWEI, alibaba, csv_bytes, focus, focus_csv, huawei, utc
from voucher.access import User
from voucher.database import transaction
from voucher.errors import Refused

A, B, C, D, E, F = map(real, "abcdef")
FIRST, SECOND = date(2026, 7, 1), date(2026, 7, 2)


@pytest.fixture
def desk(db_engine: Engine, tmp_path: Path) -> Desk:
    made = Desk(db_engine, tmp_path / "home")
    made.register(companies("C", "D"))
    made.register(providers("P", "Q"))
    made.take([line(symbol) for symbol in "abdef"])
    return made


def hand_in(
    desk: Desk, data: bytes, *, usage: str = "", invoice: str = "", user: User = MAKER, provider: str | None = None,
    dry_run: bool = False, name: str = "usage.csv",
) -> Outcome:  # fmt: skip
    """Hand in a file of usage, and see that what is on record agrees."""
    asked = accept.ask(user, provider, None, None, invoice or None, usage or None)
    outcome = accept.import_file(desk.engine, desk.file(data, name), user, asked, dry_run=dry_run, listing=True)
    with transaction(desk.engine, "cvl_auditor") as db:
        for check in ("upload_counts", "upload_rows", "usage_sums", "sealed_rows"):
            assert invariants.check_one(db, f"checks/{check}.sql") == []
    return outcome


def days(desk: Desk, number: str) -> list[tuple[Any, ...]]:
    """List what is on record of an invoice's days: day, unit, quantity, yuan, lines."""
    return [
        tuple(row)
        for row in desk.rows(
            "SELECT d.used_on, d.unit, d.quantity, d.metered_yuan, d.lines FROM usage_day AS d INNER JOIN invoice AS i"
            " USING (company_id, invoice_id) WHERE i.number = :number ORDER BY d.upload_id, d.used_on, d.unit",
            number=number,
        )
    ]


def own(number: str, day: str, amount: str) -> dict[str, str]:
    """Write a line of our own sheet of usage."""
    return {"发票号码": number, "使用日期": day, "计量单位": "卡时", "用量": "1", "不含税金额": amount}


def dated_xlsx(rows: Sequence[Sequence[Any]]) -> bytes:
    """Write a table as a workbook whose days and times are such to Excel."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "yyyy/m/d h:mm"}) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate(rows):
            sheet.write_row(place, 0, row)
    return file.getvalue()


def counts(outcome: Outcome) -> Mapping[str, int]:
    return {name: number for name, number in outcome.counts.items() if number}


def test_lines_become_sums_by_invoice_day_and_unit(desk: Desk) -> None:
    month = focus(A, "31.01", FIRST, ChargePeriodEnd=utc(date(2026, 8, 1)), PricingQuantity="", PricingUnit="")
    other = focus(B, "7", FIRST, ChargePeriodStart="2026-06-30T15:59:59Z", ChargePeriodEnd="2026-06-30T16:00:00Z")
    rows = [focus(A, "0.1", FIRST), focus(A, "1028.79", FIRST), focus(A, "0.1", SECOND), month, other]
    outcome = hand_in(desk, focus_csv(*rows))
    assert (outcome.rows, counts(outcome), outcome.exit_status) == (5, {"accepted": 5}, 0)
    whole = days(desk, A)
    assert whole[:2] == [
        (FIRST, "", 0, Decimal("1.000322580645"), 1),
        (FIRST, "GPU-Hours", 16, Decimal("1028.89"), 2),
    ]
    assert len(whole) == 33
    assert sum(row[3] for row in whole) == Decimal("1060.00")
    assert days(desk, B) == [(date(2026, 6, 30), "GPU-Hours", 8, 7, 1)]
    assert {code for _, code in said(outcome)} == {
        "focus_outside_period", "focus_quantity_missing", "usage_outside_span", "usage_sum_differs",
    }  # fmt: skip
    again = hand_in(desk, focus_csv(*rows))
    assert (again.upload_id, again.fresh) == (outcome.upload_id, False)
    assert {each["number"]: each["status"] for each in outcome.invoices} == {A: "accepted", B: "accepted"}


def test_a_bad_line_is_rejected_alone_and_comes_back_corrected(desk: Desk, tmp_path: Path) -> None:
    data = focus_csv(focus(A, "1000", FIRST), focus(A, "sixty", FIRST), focus("12", "1", FIRST))
    outcome = hand_in(desk, data)
    assert counts(outcome) == {"accepted": 1, "rejected": 2}
    assert [(p.code, p.row) for p in outcome.problems if p.severity == "error"] == [
        ("usage_number_bad", 3), ("bad_invoice_number", 4),
    ]  # fmt: skip
    assert [row["row_no"] for row in outcome.failing] == [3, 4]
    back = tmp_path / "back.xlsx"
    assert returns.write(back, outcome.header, outcome.failing, outcome.problems) == 2
    assert counts(hand_in(desk, back.read_bytes(), name="same.xlsx")) == {"rejected": 2}
    header = [*outcome.header, "原行号", "错误代码", "错误说明"]
    corrected = csv_bytes(header, [focus(A, "60", FIRST), focus(A, "0", FIRST)])
    assert counts(hand_in(desk, corrected, name="corrected.csv")) == {"accepted": 2}
    assert sum(row[3] for row in days(desk, A)) == 1060


def test_usage_waits_for_its_invoice_and_is_taken_up_with_it(desk: Desk) -> None:
    outcome = hand_in(desk, focus_csv(focus(C, "10", FIRST), focus(A, "1060", FIRST)))
    assert (counts(outcome), outcome.exit_status) == ({"accepted": 1, "held": 1}, 3)
    assert ("usage_invoice_missing", C) in [(p.code, p.invoice_number) for p in outcome.problems]
    with pytest.raises(Refused, match="1行用量暂存着。请导入这张发票"):
        invoices.show(desk.engine, C)
    foreign = hand_in(desk, focus_csv(focus(C, "5", SECOND)), provider=line("a", seller="Q")["供方统一社会信用代码"])
    assert counts(foreign) == {"held": 1}
    arrived = desk.take([line("c")])
    assert [p.code for p in arrived.problems] == ["usage_sum_differs"]
    assert "用量合计10.00元，与发票价税合计1060.00元不符" in arrived.problems[0].message
    assert "用量少于发票的，只按用量的部分计补贴" in arrived.problems[0].message, "it costs the company money"
    assert days(desk, C) == [(FIRST, "GPU-Hours", 8, 10, 1)]
    with transaction(desk.engine, "cvl_auditor") as db:
        assert [f for f in invariants.check_all(db) if f.check in ("usage_sums", "upload_counts", "seal")] == []


def test_usage_that_waited_for_what_turns_out_a_red_letter_is_said_to_count_nowhere(desk: Desk) -> None:
    red, foreign = real("r"), line("a", seller="Q")["供方统一社会信用代码"]
    hand_in(desk, focus_csv(focus(red, "-10", FIRST), focus(red, "-1", SECOND)))
    hand_in(desk, focus_csv(focus(red, "5", FIRST)), provider=foreign)
    arrived = desk.take([line("r", "-1.00", red_of="a")])
    assert [(p.code, p.value, p.severity) for p in arrived.problems] == [("usage_waited_for_red", red, "warning")]
    assert "2行用量" in arrived.problems[0].message
    assert days(desk, red) == []


def test_days_that_are_known_need_a_word_others_do_not(desk: Desk) -> None:
    hand_in(desk, focus_csv(focus(A, "500", FIRST)))
    assert counts(hand_in(desk, focus_csv(focus(A, "500", SECOND)))) == {"accepted": 1}
    more = focus_csv(focus(A, "60", FIRST))
    refused = hand_in(desk, more)
    assert (refused.exit_status, [p.code for p in refused.problems]) == (1, ["usage_overlaps"])
    added = hand_in(desk, more, usage="add")
    assert (counts(added), added.problems) == ({"accepted": 1}, ())
    net = f"发票号码,使用日期,不含税金额\n{A},2026-07-09,1\n".encode()
    assert hand_in(desk, net, usage="add").problems[0].code == "usage_overlaps"
    held = focus_csv(focus(C, "1", FIRST))
    hand_in(desk, held)
    assert hand_in(desk, focus_csv(focus(C, "2", FIRST))).problems[0].code == "usage_overlaps"
    assert counts(hand_in(desk, focus_csv(focus(C, "1060", SECOND)), usage="replace")) == {"held": 1}
    assert desk.take([line("c")]).problems == ()


def test_a_corrected_file_replaces_and_a_bill_without_numbers_names_its_invoice(desk: Desk) -> None:
    bill = csv_bytes(ALIBABA, [alibaba("1000.00", "2026-07-01 10:00:00", "2026-07-01 11:00:00")])
    without = hand_in(desk, bill)
    assert counts(without) == {"rejected": 1}
    named = hand_in(desk, bill, invoice=A)
    assert counts(named) == {"accepted": 1}
    assert "usage_sum_differs" in [p.code for p in named.problems]
    better = csv_bytes(ALIBABA, [alibaba("1060.00", "2026-07-01 10:00:00", "2026-07-02 00:00:00")])
    assert hand_in(desk, better, invoice=A, usage="replace").problems == ()
    assert hand_in(desk, better, invoice=A, usage="add").fresh is False
    assert [row[3] for row in days(desk, A)] == [1000, 1060]


def test_a_second_sheet_of_usage_is_said_and_an_empty_first_one_is_passed_over(desk: Desk) -> None:
    first, second = table([own(A, "2026-07-01", "500")], CQ), table([own(A, "2026-07-02", "500")], CQ)
    outcome = hand_in(desk, xlsx_bytes(first, second, table([], CQ)), name="two.xlsx")
    assert (outcome.exit_status, [p.value for p in outcome.problems if p.code == "other_sheet_ignored"]) == (
        3,
        ["Sheet2"],
    )
    told = ["名单", "说明"], ["P", "全年"]
    headless = hand_in(desk, xlsx_bytes(table([own(B, "2026-07-01", "1000")], CQ), told, second[1:]), name="on.xlsx")
    assert (headless.exit_status, said(headless)) == (3, [(None, "other_sheet_ignored")])
    later = hand_in(desk, xlsx_bytes(table([], CQ), second), name="second.xlsx")
    assert (later.exit_status, later.problems) == (0, ())
    assert [(row[0], row[3]) for row in days(desk, A)] == [(FIRST, 500), (SECOND, 500)]


def test_a_sheet_of_sums_beside_the_lines_of_a_bill_is_said_and_stops_nothing(desk: Desk) -> None:
    line = huawei("1060", "2026-07-01 10:00:00", "2026-07-01 11:00:00", 发票号码=A)
    lines, sums = (
        table([line], [*HUAWEI, "发票号码"]),
        [["账期", "账单类型", "应付金额"], ["2026-07", "消费-使用", "1060"]],
    )
    outcome = hand_in(desk, xlsx_bytes(sums, lines), name="bill.xlsx")
    assert (counts(outcome), outcome.exit_status) == ({"accepted": 1}, 3)
    assert [(p.code, p.value) for p in outcome.problems] == [("other_sheet_ignored", "Sheet1")]
    alone = hand_in(desk, xlsx_bytes(sums), name="sums.xlsx")
    assert [(p.code, p.value) for p in alone.problems] == [("missing_columns", "使用开始时间")]


def test_an_end_at_midnight_is_none_of_its_day_however_it_is_written_save_for_a_last_day(desk: Desk) -> None:
    hand_in(desk, focus_csv(focus(A, "1060", FIRST, ChargePeriodStart="2026-07-01", ChargePeriodEnd="2026-07-02")))
    assert [row[0] for row in days(desk, A)] == [FIRST, SECOND]  # 8 in the morning to 8 in the morning
    for number, end in ((B, SECOND), (D, datetime(2026, 7, 2)), (E, "2026-07-02 00:00:00")):
        bill = alibaba("1060", "2026-07-01 23:00:00", "", UsageEndTime=end, InvoiceId=number, Currency="RMB")  # type: ignore[arg-type]
        header = [*ALIBABA, "InvoiceId"]
        outcome = hand_in(desk, dated_xlsx(table([bill], header)), name="bill.xlsx")
        assert (counts(outcome), [(row[0], row[3]) for row in days(desk, number)]) == ({"accepted": 1}, [(FIRST, 1060)])
    for place, last in enumerate(("2026-07-02", "2026/7/2 0:00", "2026-07-02 00:00:00")):
        hand_in(desk, csv_bytes(CQ, [own(F, "2026-07-01", "1000") | {"使用截止日期": last}]), usage="replace")
        assert [(row[0], row[3]) for row in days(desk, F)][2 * place :] == [(FIRST, 500), (SECOND, 500)]


def test_a_parquet_file_whose_texts_are_not_said_to_be_texts_is_read(desk: Desk) -> None:
    names, cells = zip(*focus(A, "1060", FIRST).items(), strict=True)
    columns = [pa.array([cell.encode()], pa.binary()) for cell in cells]
    file = io.BytesIO()
    pq.write_table(pa.table([*columns, pa.array([b"\xff"], pa.binary())], names=[*names, "x_Own"]), file)
    assert counts(hand_in(desk, file.getvalue(), name="usage.parquet")) == {"accepted": 1}


def test_usage_handed_in_for_the_wrong_provider_is_handed_in_again_for_the_right_one(desk: Desk) -> None:
    data = focus_csv(focus(C, "1060", FIRST))
    right, wrong = (line("a", seller=seller)["供方统一社会信用代码"] for seller in "PQ")
    assert counts(hand_in(desk, data, provider=wrong)) == {"held": 1}
    assert hand_in(desk, data, provider=right).fresh
    assert hand_in(desk, data, provider=right).fresh is False
    assert desk.take([line("c")]).problems == ()
    assert [row[3] for row in days(desk, C)] == [1060]


def test_what_a_stranger_says_of_an_invoice_to_come_stops_and_hides_nothing(desk: Desk) -> None:
    right, wrong = (line("a", seller=seller)["供方统一社会信用代码"] for seller in "PQ")
    hand_in(desk, focus_csv(focus(C, "1", FIRST)), provider=wrong)
    assert counts(hand_in(desk, focus_csv(focus(C, "530", FIRST)), provider=right)) == {"held": 1}
    hand_in(desk, focus_csv(focus(C, "2", FIRST)), provider=wrong, usage="replace")
    again = hand_in(desk, focus_csv(focus(C, "530.00", FIRST)), provider=right)
    assert [p.code for p in again.problems] == ["usage_overlaps"]


def test_a_file_with_bad_lines_replaces_nothing(desk: Desk) -> None:
    hand_in(desk, csv_bytes(CQ, [own(A, "2026-07-01", "1000")]))
    bad = csv_bytes(CQ, [own(A, "2026-07-01", "900"), own(A, "2026-07-02x", "100")])
    refused = hand_in(desk, bad, usage="replace")
    assert (refused.exit_status, [p.code for p in refused.problems]) == (1, ["usage_time_bad", "usage_replace_faulty"])
    assert [row[3] for row in days(desk, A)] == [1000]


def test_a_return_file_adds_to_its_own_file_and_only_once(desk: Desk) -> None:
    header = [*CQ, "原行号", "错误代码", "错误说明"]
    hand_in(desk, csv_bytes(CQ, [own(A, "2026-07-01", "600"), own(A, "2026-07-01", "x")]))
    assert counts(hand_in(desk, csv_bytes(header, [own(A, "2026-07-01", "400")]))) == {"accepted": 1}
    once_more = hand_in(desk, csv_bytes(header, [own(A, "2026/07/01", "400.00")]))
    assert [p.code for p in once_more.problems] == ["usage_overlaps"]
    hand_in(desk, csv_bytes(CQ, [own(B, "2026-07-01", "1000")]))
    assert counts(hand_in(desk, csv_bytes(CQ, [own(B, "2026-07-01x", "900")]))) == {"rejected": 1}
    corrected = hand_in(desk, csv_bytes(header, [own(B, "2026-07-01", "900")]))
    assert [p.code for p in corrected.problems] == ["usage_overlaps"]
    assert [sum(row[3] for row in days(desk, number)) for number in (A, B)] == [1000, 1000]


def test_a_return_file_corrected_in_part_and_then_in_full_counts_no_line_twice(desk: Desk) -> None:
    header = [*CQ, "原行号", "错误代码", "错误说明"]
    hand_in(desk, csv_bytes(CQ, [own(A, "2026-07-01", yuan) for yuan in ("100", "x", "y")]))
    half = hand_in(desk, csv_bytes(header, [own(A, "2026-07-01", "400"), own(A, "2026-07-01", "y")]))
    assert counts(half) == {"accepted": 1, "rejected": 1}
    for rest in ("500", "z"):
        again = hand_in(desk, csv_bytes(header, [own(A, "2026-07-01", "400"), own(A, "2026-07-01", rest)]))
        assert [p.code for p in again.problems if p.severity == "blocking"] == ["usage_overlaps"]
    assert counts(hand_in(desk, csv_bytes(header, [own(A, "2026-07-01", "500")]))) == {"accepted": 1}
    assert [row[3] for row in days(desk, A)] == [100, 400, 500]


def test_a_file_is_never_added_to_itself(desk: Desk) -> None:
    both = csv_bytes(CQ, [own(A, "2026-07-01", "100"), own(B, "2026-07-01", "200")])
    hand_in(desk, both)
    hand_in(desk, csv_bytes(CQ, [own(A, "2026-07-01", "150")]), usage="replace")
    for provider in (None, line("a")["供方统一社会信用代码"]):
        again = hand_in(desk, both, usage="add", provider=provider)
        assert [(p.code, p.value) for p in again.problems] == [("usage_same_file", B)]
    assert counts(hand_in(desk, both, usage="replace")) == {"accepted": 2}
    bill = csv_bytes(ALIBABA, [alibaba("1060.00", "2026-07-01 10:00:00", "2026-07-01 11:00:00")])
    assert [counts(hand_in(desk, bill, invoice=number)) for number in (D, E)] == [{"accepted": 1}] * 2


def test_what_waits_is_taken_up_in_the_order_in_which_it_was_written(desk: Desk) -> None:
    slow, quick = (csv_bytes(CQ, [own(C, "2026-07-01", yuan)]) for yuan in ("400", "600"))
    path, asked, overtaking = desk.file(slow, "slow.csv"), accept.ask(MAKER, None, None, None, None, "add"), [quick]

    def overtaken(_rows: int) -> None:
        while overtaking:
            assert counts(hand_in(desk, overtaking.pop(), usage="replace")) == {"held": 1}

    assert counts(accept.import_file(desk.engine, path, MAKER, asked, progress=overtaken)) == {"held": 1}
    assert desk.take([line("c")]).problems == ()
    assert desk.rows("SELECT metered_yuan FROM metering_at(9223372036854775807) ORDER BY 1") == [(400,), (600,)]


def test_what_may_still_count_of_an_invoice_to_come_is_seen_whoever_else_has_replaced_it(desk: Desk) -> None:
    right, wrong = (line("a", seller=seller)["供方统一社会信用代码"] for seller in "PQ")
    one, two = (csv_bytes(CQ, [own(C, "2026-07-01", yuan)]) for yuan in ("1000", "900"))
    hand_in(desk, one, provider=right)
    hand_in(desk, two, provider=wrong, usage="replace")
    third = csv_bytes(CQ, [own(C, "2026-07-01", "1000.0")])
    assert [p.code for p in hand_in(desk, third).problems] == ["usage_overlaps"]
    assert counts(hand_in(desk, third, usage="replace")) == {"held": 1}
    hand_in(desk, two, provider=right, usage="replace")
    assert hand_in(desk, third, usage="replace").fresh
    assert desk.take([line("c")]).problems == ()


def test_cells_that_excel_merged_or_could_not_reckon_are_read_as_in_an_invoice(desk: Desk) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, CQ)
        sheet.merge_range(1, 0, 4, 0, A)
        sheet.merge_range(1, 3, 3, 3, "卡时")
        sheet.merge_range(2, 5, 3, 5, 500)
        for row in range(1, 5):
            sheet.write_string(row, 1, f"2026-07-0{row}")
        sheet.write_number(1, 5, 500)
        sheet.write_formula(4, 3, "=A9", None, "#REF!")
        sheet.write_number(4, 5, 1)
    outcome = hand_in(desk, file.getvalue(), name="merged.xlsx")
    assert [(p.code, p.row) for p in outcome.problems] == [("merged_cells", 4), ("formula_error", 5)]
    assert [(row[0], row[1], row[3]) for row in days(desk, A)] == [(FIRST, "卡时", 500), (SECOND, "卡时", 500)]


def test_a_file_that_another_has_replaced_is_news_again(desk: Desk) -> None:
    one, two = (csv_bytes(CQ, [own(A, "2026-07-01", yuan), own(C, "2026-07-01", yuan)]) for yuan in ("1000", "900"))
    first = hand_in(desk, one)
    assert hand_in(desk, one, usage="replace").upload_id == first.upload_id
    hand_in(desk, two, usage="replace")
    assert [p.code for p in hand_in(desk, one).problems][:1] == ["usage_overlaps"]
    back = hand_in(desk, one, usage="replace")
    assert (back.fresh, hand_in(desk, one).upload_id) == (True, back.upload_id)
    assert desk.take([line("c")]).problems == ()
    now = "SELECT metered_yuan FROM metering_at(9223372036854775807)"
    assert desk.rows(now) == [(1000,), (1000,)]


def test_a_file_that_is_to_replace_what_was_added_to_it_is_news(desk: Desk) -> None:
    one, two, three = (csv_bytes(CQ, [own(number, "2026-07-01", "1000") for number in (A, C)]) + end for end in
                       (b"", b"\n", b"\n\n"))  # fmt: skip
    hand_in(desk, one)
    hand_in(desk, two, usage="add")
    first = hand_in(desk, one, usage="replace")
    assert (first.fresh, hand_in(desk, one, usage="replace").upload_id) == (True, first.upload_id)
    hand_in(desk, three, usage="add")
    assert hand_in(desk, one).upload_id == first.upload_id
    assert hand_in(desk, one, usage="replace").fresh
    assert desk.take([line("c")]).problems == ()
    assert desk.rows("SELECT metered_yuan FROM metering_at(9223372036854775807)") == [(1000,), (1000,)]
    assert hand_in(desk, one, usage="replace").fresh is False


def test_what_must_not_be_taken_is_refused_whole(desk: Desk) -> None:
    desk.take([line("r", "-1.00", red_of="a")])
    decade = [own(B, "2020-01-01", "1") | {"使用截止日期": "2029-12-31", "计量单位": f"第{n}种"} for n in range(900)]
    before = desk.everything()
    stranger = User("p1", "provider", line("a", seller="Q")["供方统一社会信用代码"])
    good = focus(B, "1", FIRST)
    for data, user, code in (
        (focus_csv(good, focus(real("r"), "1", FIRST)), MAKER, "usage_of_red"),
        (focus_csv(good), stranger, "usage_not_yours"),
        (focus_csv(good, *[focus(A, "99999999999", FIRST)] * 2), MAKER, "usage_too_large"),
        (focus_csv(good, *[focus(A, "x", FIRST)] * 10_001), MAKER, "usage_too_many_faults"),
        (csv_bytes(CQ, decade), MAKER, "usage_too_many_days"),
        (focus_csv(), MAKER, "no_rows"),
    ):
        outcome = hand_in(desk, data, user=user)
        assert (outcome.exit_status, outcome.problems[-1].code) == (1, code)
        assert len(outcome.problems) <= 10_002
    assert hand_in(desk, focus_csv(good), dry_run=True).upload_id is None
    assert desk.everything() == before

"""The 计算底稿: every number of an invoice, what it came from, and what became of it."""

import io
import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pypdf
import pytest
from sqlalchemy import Engine

from reconciliation.typeset import typeset
from settlement import explain
from settlement.explain_sheet import as_sheet
from settlement.explanation import Explanation, Part
from settlement.facts import Facts, InvoiceLine, Listing, Metering, Payment, Qualification, Refusal, Relation
from tests.cases.histories import invoice, red_of, usual
from tests.postgres import recorder
from tests.postgres.recorder import MAKER, number, record
from tests.postgres.witness import settle
from voucher import acts
from voucher.database import query, transaction
from voucher.days import Span
from voucher.errors import Refused

GPU, HARDWARE = "3040203000000000000", "1090511010000000000"
YEARS = date(2025, 6, 1), date(2026, 5, 31)


def explained(engine: Engine, symbol: int, cutoff: int | None = None) -> Explanation:
    """Explain an invoice as the auditor may; what always holds of an explanation must hold."""
    with transaction(engine, "cvl_auditor") as db:
        found = explain.explain(db, number(str(symbol)), acts.cutoff(db) if cutoff is None else cutoff)
    for part in found.parts:
        assert sum(piece.amount_fen for piece in part.pieces) == part.basis_fen
        assert part.pieces[0].first_on == found.first_on
        assert part.pieces[-1].last_on == found.last_on
        assert sum(piece.days for piece in part.pieces) == (found.last_on - found.first_on).days + 1
        counted = sum(piece.amount_fen for piece in part.pieces if piece.why is None)
        assert counted == sum(year.basis_fen for year in part.years)
    json.dumps(explain.as_json(found))
    return found


def only(found: Explanation) -> Part:
    (part,) = found.parts
    return part


@pytest.fixture
def engine(db_engine: Engine) -> Engine:
    with transaction(db_engine) as db:
        recorder.appropriate(db, 2026, 10**10)
        record(db, "usual", usual())
    return db_engine


def more(engine: Engine, reference: str, news: Facts) -> None:
    with transaction(engine) as db:
        record(db, reference, news)


def test_each_piece_of_days_is_explained_and_they_add_up(engine: Engine) -> None:
    more(engine, "a", Facts(invoices=[invoice(1, 120_000_000, *YEARS)]))
    part = only(explained(engine, 1))
    assert [(p.first_on, p.last_on, p.amount_fen, p.why and p.why.code) for p in part.pieces] == [
        (date(2025, 6, 1), date(2025, 12, 24), 68_054_794, "before_policy"),
        (date(2025, 12, 25), date(2025, 12, 31), 2_301_370, None),
        (date(2026, 1, 1), date(2026, 5, 31), 49_643_836, None),
    ]
    assert [(y.cap_year, y.computed_fen, y.standing) for y in part.years] == [
        (2025, 460_274, "尚未结算；现在结算可兑付4,602.74元。"),
        (2026, 9_928_767, "尚未结算；现在结算可兑付99,287.67元。"),
    ]


def test_lines_reds_and_payments_are_steps_of_the_basis(engine: Engine) -> None:
    lines = [InvoiceLine(1, GPU, 700_000), InvoiceLine(2, HARDWARE, 200_000)]
    blue = invoice(1, 900_000, *YEARS, lines=lines, paid_fen=400_000)
    more(engine, "a", Facts(invoices=[blue, replace(red_of(blue, 2, 100_000), paid_fen=None)]))
    part = only(explained(engine, 1))
    assert [(i.line_no, i.net_fen, i.counts) for i in part.items] == [
        (1, 700_000, True), (2, 200_000, False), (1, -100_000, True),
    ]  # fmt: skip
    assert (part.eligible_net_fen, part.gross_fen, part.paid_fen) == (600_000, 800_000, 400_000)
    assert (part.basis_fen, part.limited_by) == (300_000, "unpaid")


def test_a_red_letter_is_explained_with_its_blue(engine: Engine) -> None:
    blue = invoice(1, 900_000, *YEARS)
    more(engine, "a", Facts(invoices=[blue, red_of(blue, 2, 100_000)]))
    found = explained(engine, 2)
    assert (found.asked, found.number) == (number("2"), number("1"))
    assert "是红字发票" in explain.as_text(found)


def test_room_people_and_state_stand_beside_each_line(engine: Engine) -> None:
    may = date(2026, 5, 1), date(2026, 5, 31)
    more(engine, "a", Facts(invoices=[invoice(1, 499_000_000, *may), invoice(2, 10_000_000, *may)]))
    with transaction(engine) as db:
        settle(db)
    (year,) = only(explained(engine, 2)).years
    (line,) = year.bookings
    assert (line.kind, line.state, line.maker, line.checker) == ("grant", "approved", "maker1", "checker1")
    assert (line.room_before_fen, line.granted_fen, line.room_after_fen) == (200_000, 200_000, 0)
    assert (line.withheld_fen, line.why[0].code) == (1_800_000, "over_cap")
    assert "每家企业每年最高100万元" in line.why[0].clause
    assert year.standing == "已结算，没有变动。"


def test_backfill_that_is_only_listed_keeps_its_room(engine: Engine) -> None:
    may = date(2026, 5, 1), date(2026, 5, 31)
    first = [invoice(1, 1_000_000, *may, paid_fen=500_000), invoice(2, 498_000_000, *may)]
    more(engine, "a", Facts(invoices=first))
    with transaction(engine) as db:
        settle(db)
    paid = Payment(number("1"), may[1], "流水1", 500_000, (0, 0))
    more(engine, "b", Facts(payments=[paid]))
    more(engine, "c", Facts(invoices=[replace(invoice(3, 5_000_000, *may), accepted_no=3)]))
    with transaction(engine) as db:
        settle(db)
    (year,) = only(explained(engine, 3)).years
    assert [(b.room_before_fen, b.granted_fen, b.withheld_fen) for b in year.bookings] == [(200_000, 200_000, 800_000)]
    found = explained(engine, 1)
    assert only(found).years[0].standing == "待补1,000.00元，经办指定后补付。"
    assert [later.sentence for later in found.later] == ["付款登记，流水号 流水1，5,000.00元。"]


def test_what_came_later_is_unknown_at_an_earlier_cutoff(engine: Engine) -> None:
    more(engine, "a", Facts(invoices=[invoice(1, 1_000_000, *YEARS)]))
    with transaction(engine) as db:
        before = acts.cutoff(db)
        settle(db)
    assert [len(year.bookings) for year in only(explained(engine, 1)).years] == [1, 1]
    assert [len(year.bookings) for year in only(explained(engine, 1, before)).years] == [0, 0]


def test_an_invoice_without_an_eligible_day_says_why(engine: Engine) -> None:
    never = Listing(11, Span(date(2025, 1, 1), date(2025, 1, 1)), (0, 0))
    more(engine, "a", Facts(listings=[never], invoices=[invoice(1, 900_000, *YEARS)]))
    part = only(explained(engine, 1))
    assert part.years == []
    assert [(why.code, why.amount_fen) for why in part.why] == [
        ("before_policy", 510_410), ("not_listed", 389_590),
    ]  # fmt: skip
    more(engine, "b", Facts(invoices=[invoice(2, 900_000, *YEARS, company=9)]))
    found = explained(engine, 2)
    assert [why.code for why in only(found).why] == ["before_policy", "not_qualified"]
    assert "五、不予兑付" in explain.as_text(found)


def uneligible(engine: Engine, cutoff: int | None = None) -> dict[str, dict[str, int]]:
    """Give what the report of cuts says of invoices without a line: per number its reasons and their fen."""
    with transaction(engine, "cvl_auditor") as db:
        until = acts.cutoff(db) if cutoff is None else cutoff
        days = {"period_from": date(2025, 1, 1), "period_until": date(2026, 8, 1)}
        rows = query(db, "reports/cuts.sql", **days, cutoff=until)
    told: dict[str, dict[str, int]] = {}
    for row in rows:
        if row["stage"] == "不计入":
            assert json.loads(row["reasons"]) == [{"code": row["code"], "amount_fen": row["cut_fen"]}]
            assert told.setdefault(row["invoice_number"], {}).setdefault(row["code"], row["cut_fen"]) == row["cut_fen"]
    return told


def test_what_has_no_line_stands_in_the_report_of_cuts_with_the_reasons_of_its_explanation(engine: Engine) -> None:
    may, june = (date(2026, 5, 1), date(2026, 5, 31)), (date(2026, 6, 1), date(2026, 6, 30))
    hard = [InvoiceLine(1, HARDWARE, 600_001)]
    both = [InvoiceLine(1, HARDWARE, 400_000), InvoiceLine(2, GPU, 200_001)]
    bills = [
        invoice(1, 600_001, *may, lines=hard),
        invoice(2, 600_001, *may, lines=both),
        invoice(3, 600_001, *june, lines=both, company=2),
        invoice(4, 600_001, date(2025, 11, 1), date(2026, 2, 28), received_on=date(2026, 4, 1), provider=12),
        invoice(5, 600_001, date(2027, 12, 1), date(2028, 1, 31), received_on=date(2026, 7, 31), company=9),
        invoice(6, 600_001, *june, provider=12),
        invoice(7, 600_001, *may, company=9),
        invoice(8, 600_001, *june, company=9, received_on=date(2026, 8, 1)),
        invoice(9, 600_001, *may),
    ]
    with transaction(engine) as db:  # settled before the company lost its qualification: a run will say so
        record(db, "before", Facts(invoices=[invoice(11, 600_001, *may, company=2)]))
        settle(db)
    related = Relation(12, 1, "common_control", 1, Span(date(2026, 1, 1), date(2026, 6, 21)), (1, 1))
    listed = Listing(12, Span(date(2025, 1, 1), date(2026, 6, 16)), (1, 2))
    lost = Qualification(2, "ai_agent", Span(date(2025, 1, 1), date(2025, 1, 1)), (1, 3))
    late = Qualification(2, "digital_twin", Span(date(2026, 7, 1), date(2200, 1, 1)), (1, 4))
    more(engine, "a", Facts([lost, late], [], [related], invoices=bills))
    with transaction(engine) as db:
        before = acts.cutoff(db)
    more(engine, "b", Facts(listings=[listed], invoices=[red_of(bills[0], 10, 100_000)]))
    told = uneligible(engine)
    for bill in bills:
        part = only(explained(engine, bill.invoice_id))
        said = {why.code: why.amount_fen for why in part.why if why.code != "red_letter"}
        handed_in = bill.received_on < date(2026, 8, 1)
        assert told.get(number(bill.number), {}) == (said if not part.years and handed_in else {}), bill.number
    assert [len(reasons) for _, reasons in sorted(told.items())] == [1, 2, 3, 2, 2, 1]
    assert number("6") not in uneligible(engine, before)
    assert number("11") not in told


def test_a_year_without_a_line_stands_in_the_report_of_cuts_though_another_year_has_one(engine: Engine) -> None:
    """Of the first nothing of 2025 counts; of the second 2025 counts and is only not settled yet."""
    late = invoice(1, 62_000_000, date(2025, 12, 1), date(2026, 1, 31), received_on=date(2026, 4, 1))
    due = invoice(2, 62_000_000, date(2025, 12, 1), date(2026, 1, 31), received_on=date(2026, 3, 31), company=2)
    more(engine, "a", Facts(invoices=[late, due]))
    pieces = [p for p in only(explained(engine, 1)).pieces if p.why is not None]
    said = {p.why.code: p.amount_fen for p in pieces if p.why is not None}
    assert said == {"before_policy": 24_000_000, "past_claim_deadline": 7_000_000}
    assert uneligible(engine) == {number("1"): said}
    with transaction(engine) as db:
        settle(db)
    assert uneligible(engine) == {number("1"): said}


def test_an_unknown_number_is_refused_with_where_it_waits(engine: Engine) -> None:
    with transaction(engine) as db:
        with pytest.raises(Refused, match=r"no_invoice.*cvl import"):
            explain.explain(db, "26502000000000000077", 10**6)
        with acts.act(db, "upload", "x", MAKER.name, {}) as act:
            recorder.turn_away(db, act.act_id, "26502000000000000078", "held", "服务期间缺失。请补充。")
    with transaction(engine) as db, pytest.raises(Refused) as caught:
        explain.explain(db, "26502000000000000078", 10**6)
    assert caught.value.message.startswith("发票 26502000000000000078 待核（第")
    assert caught.value.message.endswith("“x.csv”第7行）。服务期间缺失。请补充。")


def test_the_text_can_be_followed_by_hand(engine: Engine) -> None:
    lines = [InvoiceLine(1, GPU, 110_000_000), InvoiceLine(2, HARDWARE, 10_000_000)]
    blue = invoice(1, 120_000_000, *YEARS, lines=lines)
    more(engine, "a", Facts(invoices=[blue]))
    with transaction(engine) as db:
        settle(db)
    more(engine, "b", Facts(invoices=[red_of(blue, 2, 10_000_000)]))
    told = explain.as_text(explained(engine, 1))
    for words in (
        "企业 第1号公司（91500000T000000001）",
        "补贴比例 20%；依据：（八）按实际算力服务金额的20%给予算力券支持",
        "尾数 舍去不足一分的部分；依据：假定：不足一分的部分舍去，确保不超过20%",
        "第2行 1090511010000000000 100,000.00元 不计入（税收分类编码不在本事项支持范围内）",
        "2025-06-01至2025-12-24 207日 567,123.28元 不计入：政策施行前",
        "2026-01-01至2026-05-31 151日 413,698.64元 计入2026年度",
        "企业当年额度：此前 1,000,000.00元，此后 908,986.30元",
        "现状：应追回8,273.98元。",
    ):
        assert words in told, told


def test_the_sheet_of_one_page_has_every_number_of_the_text(engine: Engine) -> None:
    blue = invoice(1, 120_000_000, *YEARS)
    more(engine, "a", Facts(invoices=[blue]))
    with transaction(engine) as db:
        settle(db)
    more(engine, "b", Facts(invoices=[red_of(blue, 2, 100_000)], listings=[Listing(11, Span(*YEARS), (0, 0))]))
    found = explained(engine, 1)
    sheet = as_sheet(found)
    (page,) = pypdf.PdfReader(io.BytesIO(typeset("sheet", sheet))).pages
    printed = "".join(page.extract_text().split())
    amounts = set(re.findall(r"\d[\d,]*\.\d\d", explain.as_text(found)))
    assert all(amount in printed for amount in amounts)
    assert "23,013.70" in printed
    assert found.later[0].sentence.startswith("服务商入库登记变更")
    for words in ("经办maker1", "复核checker1", "渝经信规范〔2025〕12号", "受理红字发票"):
        assert words in printed


def test_usage_shares_the_basis_and_limits_it_in_words(engine: Engine) -> None:
    blue = invoice(1, 62_000_000, date(2026, 12, 1), date(2027, 1, 31))
    more(engine, "a", Facts(invoices=[blue]))
    with transaction(engine) as db:
        settle(db)
    used = [(date(2026, 12, 10), Decimal("300000.5")), (date(2027, 1, 5), Decimal("100000.25"))]
    whole = Metering("1", False, False, Decimal("400000.75"), used, (0, 0))
    more(engine, "b", Facts(meterings=[whole]))
    found = explained(engine, 1)
    told = explain.as_text(found)
    for words in (
        "用量明细合计（不含税）400,000.75元",
        "计量账单较低，计算基数以其为限 400,000.75元",
        "四、按用量分摊（各段相加等于计算基数 400,000.75元）",
        "2026-12-01至2026-12-31 31日 用量300000.5元 300,000.50元 计入2026年度",
        "登记用量明细，合计400,000.75元（不含税）。",
    ):
        assert words in told, told
    assert "300000.5" in str(as_sheet(found))
    more(engine, "c", Facts(meterings=[replace(whole, gross=True, replaces=True)]))
    assert "按计量账单金额折算：620,000.00元 × 400,000.75元 ÷ 620,000.00元" in explain.as_text(explained(engine, 1))


def test_what_is_refused_is_worth_nothing_and_the_explanation_says_so(engine: Engine) -> None:
    reissued = invoice(1, 10_000, date(2026, 5, 1), date(2026, 5, 31), original_number="7")
    more(engine, "claim", Facts(invoices=[reissued]))
    more(engine, "finding", Facts(refusals=[Refusal("1", 2026, True, (0, 1))]))
    found = explained(engine, 1)
    (year,) = only(found).years
    assert (year.computed_fen, year.overlap_cut_fen, year.worth_fen) == (2_000, 0, 0)
    assert [(why.code, why.amount_fen) for why in year.why] == [("refused", 2_000)]
    text = explain.as_text(found)
    assert f"重开自 {number('7')}" in text
    assert "经批准不予兑付，核减20.00元。\n  应兑付 0.00元" in text
    assert "核减20.00元。应兑付 0.00" in str(as_sheet(found))

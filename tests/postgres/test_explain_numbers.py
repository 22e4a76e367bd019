"""Each printed number of an explanation follows from numbers that are printed, in every combination of rules."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from settlement import documents, explain, run_data
from settlement import run as runs
from settlement.explain_sheet import as_sheet
from settlement.explanation import Explanation
from settlement.facts import Contract, Facts, Metering, Refusal, Subsidy, Verification
from settlement.policy import load
from tests.cases.histories import invoice, red_of
from tests.postgres import recorder
from tests.postgres.recorder import MAKER, number, record, uscc
from tests.postgres.test_voucher_life import MAY, Books
from tests.postgres.witness import PROGRAMME, SHIPPED, document, record_document, settle
from voucher import acts, issuance, ledger
from voucher.database import transaction
from voucher.days import Span


@pytest.fixture
def books(db_engine: Engine) -> Books:
    return Books(db_engine)


def explained(books: Books, symbol: int) -> Explanation:
    with transaction(books.engine, "cvl_auditor") as db:
        return explain.explain(db, number(str(symbol)), acts.cutoff(db))


def says(books: Books, symbol: int, *words: str) -> None:
    told = explain.as_text(explained(books, symbol))
    for each in words:
        assert each in told, told


def amend(books: Books, changes: dict[str, object], known: str = SHIPPED, policy: str = "case.1") -> None:
    with transaction(books.engine) as db:
        record_document(db, changes, id=policy, supersedes=known)


def more(books: Books, reference: str, news: Facts) -> None:
    with transaction(books.engine) as db:
        record(db, reference, news)


def rooms(books: Books, symbol: int) -> list[tuple[int, int]]:
    (year,) = explained(books, symbol).parts[0].years
    return [(line.room_before_fen, line.room_after_fen) for line in year.bookings]


def test_what_is_left_of_a_contract_is_shown_with_what_it_comes_of(books: Books) -> None:
    contract = Contract("HT-1", 11, 1, 1_500_000, Span(date(2026, 1, 1), date(2200, 1, 1)), (0, 0))
    more(books, "contract", Facts(contracts=[contract]))
    taxed = {"contract_no": "HT-1", "gross_fen": 1_060_000, "tax_fen": 60_000}
    books.invoices(invoice(1, 1_000_000, *MAY, contract_no="HT-1"), invoice(2, 1_000_000, *MAY, **taxed))
    words = (
        "合同 HT-1 金额 15,000.00元，受理在前的发票已占用 10,000.00元，剩余 5,000.00元",
        "价税合计（减红字后）10,600.00元",
        "按合同剩余金额折算：10,000.00元 × 5,000.00元 ÷ 10,600.00元，不足一分舍去，计算基数 4,716.98元",
    )
    says(books, 2, *(f"  {each}\n" for each in words))
    assert all(each in str(as_sheet(explained(books, 2))) for each in words)
    books.settle()
    more(books, "larger", Facts(contracts=[replace(contract, amount_fen=2_000_000)]))
    says(books, 2, "合同 HT-1 登记：20,000.00元，2026-01-01至2199-12-31。")


def test_two_metered_amounts_are_told_by_the_one_that_limits(books: Books) -> None:
    used = [(date(2026, 5, 3), Decimal("3000"))]
    books.invoices(invoice(1, 1_000_000, *MAY, gross_fen=1_060_000, tax_fen=60_000))
    more(books, "gross", Facts(meterings=[Metering("1", True, False, Decimal("9000"), used, (0, 0))]))
    says(books, 1, "按计量账单金额折算：10,000.00元 × 9,000.00元 ÷ 10,600.00元，不足一分舍去，计算基数 8,490.56元")
    more(books, "net", Facts(meterings=[Metering("1", False, False, Decimal("100"), used, (0, 0))]))
    words = "用量明细合计（不含税）100.00元", "计量账单较低，计算基数以其为限 100.00元"
    says(books, 1, *words)
    sheet = str(as_sheet(explained(books, 1)))
    assert all(each in sheet for each in words)
    assert "折算" not in sheet


def test_a_joint_limit_and_the_whole_other_subsidy_are_shown(books: Books) -> None:
    amend(books, {"overlap": "joint_limit", "joint_limit_bp": 3000})
    books.invoices(invoice(1, 1_000_000, date(2025, 12, 1), MAY[1]))
    more(books, "other", Facts(subsidies=[Subsidy("1", "别的政策", 150_000, False, (0, 0))]))
    words = (
        "其他补贴（未放弃的）合计 1,500.00元，按下述办法分摊到计入的服务日",
        "其他补贴按计入日分摊 57.69元，两者合计上限 115.38元，重复享受核减 19.23元",
    )
    says(books, 1, "    合计上限比例 30%", *words)
    assert all(each in str(as_sheet(explained(books, 1))) for each in words)


def test_a_parameter_that_a_reason_applies_is_shown_with_its_value(books: Books) -> None:
    books.invoices(invoice(1, 1_000_000, *MAY))
    books.settle()
    amend(books, {"min_spend_fen": 2_000_000, "tax_verification": "required", "usage_sum": "hold"})
    books.invoices(invoice(2, 5_000, *MAY))
    says(books, 1, "    最低使用金额 20,000.00元；依据：", "登记政策文件 case.1。")
    says(books, 2, "    最低使用金额 20,000.00元；", "    结算前查验发票 须查验一致；")
    assert "用量合计容许的差额" not in explain.as_text(explained(books, 2))
    more(books, "usage", Facts(meterings=[Metering("2", False, False, Decimal("9"), [], (0, 0))]))
    says(books, 2, "    用量合计容许的差额 1.00元；")
    books.settle()
    says(books, 1, "重复享受及下列事由核减 2,000.00元")


def test_the_document_that_gives_the_cap_is_shown_though_no_service_day_lies_in_it(books: Books) -> None:
    changes = {"annual_cap_fen": 50_000_000, "rate_bp": 2500, "from": date(2026, 7, 1), "min_spend_fen": 0}
    amend(books, changes)
    books.invoices(invoice(1, 400_000_000, *MAY))
    books.settle()
    found = explained(books, 1)
    assert [(each.id, len(each.rules)) for each in found.parts[0].documents] == [(SHIPPED, 7), ("case.1", 1)]
    says(books, 1, "    企业年度上限 500,000.00元；", "  年度上限 500,000.00元（case.1）\n", "上限核减 300,000.00元")
    assert "年度上限 500,000.00元（case.1）" in str(as_sheet(found))


def test_a_line_rests_on_the_words_of_the_document_that_ruled_when_it_was_drafted(books: Books) -> None:
    def worded(words: str, policy: str, known: str, **changes: object) -> None:
        body = document(changes, id=policy, supersedes=known)
        body = body.replace("每家企业每年最高100万元".encode(), words.encode())
        with transaction(books.engine) as db:
            documents.record(db, load(body), body, "system")

    worded("最高50万元", "half.1", SHIPPED, **{"annual_cap_fen": 50_000_000, "from": date(2026, 7, 1)})
    books.invoices(invoice(1, 400_000_000, *MAY))
    books.settle()
    worded("最高60万元", "more.1", "half.1", **{"annual_cap_fen": 60_000_000, "from": date(2026, 7, 1)})
    says(books, 1, "超过企业年度上限的部分300,000.00元不予兑付（上限核减）。［（八）最高50万元］")
    with transaction(books.engine, "cvl_auditor") as db:
        run = runs.find(db, 1)
        (line,) = run_data.whole(db, run, documents.recorded(db, run.cutoff), [], [])["lines"]
    assert [each["clause"] for each in line["reasons"]] == ["（八）最高50万元"]


def test_the_room_in_a_pro_rata_run_is_that_before_the_cut(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """B3: the cap first, so that 200,000 were left at the second's turn and 200,000 of it are withheld."""
    monkeypatch.setenv("CVL_TODAY", "2027-01-05")
    amend(books, {"over_budget": "pro_rata"})
    books.approved(lambda db: ledger.propose_appropriation(db, MAKER, 2027, 80_000_000, "指标2"))
    books.invoices(invoice(1, 400_000_000, *MAY), invoice(2, 200_000_000, *MAY))
    books.settle()
    assert (rooms(books, 1), rooms(books, 2)) == ([(100_000_000, 20_000_000)], [(20_000_000, 0)])
    says(
        books, 2, "此前 200,000.00元，此后 0.00元（指标核减之前，核减的40,000.00元不占额度）", "    指标不足时 按比例；"
    )


def test_a_cut_rests_on_the_words_that_were_in_force_when_the_run_was_cut(books: Books) -> None:
    """The line's own document refuses, the year's last one too; the one in force on the run's last day cuts."""
    own = "指标不足时不予提交，由市大数据发展局追加指标或改为按比例"
    body = document({"over_budget": "pro_rata", "from": date(2026, 7, 1)}, id="share.1", supersedes=SHIPPED)
    body = body.replace(own.encode(), "指标不足时按比例".encode())
    with transaction(books.engine) as db:
        documents.record(db, load(body), body, "system")
        record_document(db, {"from": date(2026, 10, 1)}, id="later.1", supersedes="share.1")
        recorder.leave(db, 2026, 30_000_000, "short")
    books.invoices(invoice(1, 400_000_000, *MAY))
    with transaction(books.engine) as db:
        settle(db, date(2026, 8, 31))
    says(books, 1, "［假定：指标不足时按比例］")
    with transaction(books.engine, "cvl_auditor") as db:
        run = runs.find(db, 1)
        (line,) = run_data.whole(db, run, documents.recorded(db, run.cutoff), [], [])["lines"]
    assert [each["clause"] for each in line["reasons"]] == ["假定：指标不足时按比例"]


def test_a_closed_voucher_has_no_room_whatever_comes_back(books: Books) -> None:
    blue = invoice(1, 1_000_000, *MAY)
    books.invoices(blue)
    books.settle()
    books.move("revoked")
    books.invoices(red_of(blue, 2, 400_000), invoice(3, 5_000, *MAY))
    books.settle()
    assert (rooms(books, 1)[1], rooms(books, 3)) == ((0, 0), [(0, 0)])
    says(books, 3, "此前 0.00元，此后 0.00元（券已失效，或企业已并入其他企业，没有额度）")
    assert "券已失效" in str(as_sheet(explained(books, 3)))


def test_room_that_recoveries_have_to_fill_first_is_none(books: Books) -> None:
    blue = invoice(1, 400_000_000, *MAY)
    books.invoices(blue)
    books.settle()
    amend(books, {"annual_cap_fen": 70_000_000})
    books.invoices(red_of(blue, 2, 1_000_000), invoice(3, 5_000, *MAY))
    books.settle()
    assert (rooms(books, 1), rooms(books, 3)) == ([(100_000_000, 20_000_000), (0, 0)], [(0, 0)])
    says(books, 1, "（已超出100,000.00元，追回的先抵补）")
    books.invoices(red_of(blue, 4, 100_000_000))
    books.settle()
    assert rooms(books, 1)[2] == (0, 10_200_000)


def test_a_merger_is_told_to_both_and_its_share_of_the_room(books: Books) -> None:
    books.invoices(invoice(1, 300_000_000, *MAY, company=2))
    books.settle()
    books.merge(2, 1)
    books.invoices(invoice(2, 10_000, *MAY))
    books.settle()
    assert rooms(books, 2) == [(40_000_000, 39_998_000)]
    says(books, 2, "此后 399,980.00元（已扣除被合并企业所用的600,000.00元）")
    says(books, 1, f"企业并入 {uscc(1)}，以后的额度归其使用。")


def test_a_face_set_by_hand_and_a_voucher_that_was_never_applied_for_are_told(books: Books) -> None:
    with transaction(books.engine) as db:
        terms = documents.terms(db, PROGRAMME, 2026)
    books.approved(lambda db: issuance.propose_by_hand(db, MAKER, terms, uscc(1), 50_000))
    amend(books, {"issuance": "application"})
    books.invoices(invoice(1, 400_000_000, *MAY), invoice(2, 400_000, *MAY, company=2))
    books.settle()
    says(books, 1, "此前 500.00元，此后 0.00元（券面额500.00元）")
    says(books, 2, "此前 0.00元，此后 0.00元（券尚未发放，没有额度）")


def test_room_kept_for_a_listed_backfill_is_told(books: Books) -> None:
    books.invoices(invoice(1, 1_000_000, *MAY), invoice(2, 1_000, *MAY))
    more(books, "finding", Facts(refusals=[Refusal("1", None, True, (0, 1))]))
    books.settle()
    more(books, "lifted", Facts(refusals=[Refusal("1", None, False, (0, 1))]))
    books.invoices(invoice(3, 1_000, *MAY))
    books.settle()
    says(books, 3, "（另为待补留出2,000.00元）")
    more(books, "checked", Facts(verifications=[Verification("1", MAY[0], True, (0, 1))]))
    says(books, 1, "解除各年度不予兑付：查实。", "登记查验结果：一致。")

"""What the tax platform says is a fact; whether a settlement needs it is a parameter of the policy."""

import pytest

from console import invoices
from importers import verification
from settlement import run as runs
from tests.postgres import recorder
from tests.postgres.conftest import TODAY
from tests.postgres.desk import MAKER, Desk, line, real
from tests.postgres.test_evidence_settled import draft, settle
from tests.postgres.witness import SHIPPED, record_document
from voucher.database import run, transaction
from voucher.days import parse_day
from voucher.errors import CvlError

DAY = parse_day(TODAY)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.take([line("a"), line("b", "500.00")])
    with transaction(desk.engine) as db:
        recorder.appropriate(db, 2026, 10**10)
    return desk


def required(desk: Desk) -> None:
    with transaction(desk.engine) as db:
        record_document(db, {"tax_verification": "required"}, id="t.1", supersedes=SHIPPED)


def say(desk: Desk, symbol: str, result: str) -> bool:
    return run(desk.engine, lambda db: verification.record(db, MAKER, real(symbol), result, DAY, "甲"))


def numbers(desk: Desk) -> tuple[list[str], dict[str, list[str]]]:
    """Return the invoices with a line and those held, with why; both engines must agree."""
    with transaction(desk.engine) as db:
        drafted = draft(db)
        lines = [row["invoice_number"] for row in runs.lines(db, drafted.run)] if drafted.run else []
        held = {row["invoice_number"]: [r["code"] for r in row["reasons"]] for row in drafted.held}
        db.rollback()
    return lines, held


def test_without_the_parameter_nothing_waits(desk: Desk) -> None:
    say(desk, "a", "differs")
    assert numbers(desk) == ([real("a"), real("b")], {})


def test_with_it_a_new_claim_waits_until_the_last_word_is_that_it_is_the_same(desk: Desk) -> None:
    required(desk)
    assert numbers(desk) == ([], {real("a"): ["not_verified"], real("b"): ["not_verified"]})
    say(desk, "a", "same")
    assert numbers(desk) == ([real("a")], {real("b"): ["not_verified"]})
    say(desk, "a", "void")
    assert numbers(desk)[0] == []
    say(desk, "a", "same")
    assert numbers(desk)[0] == [real("a")]


def test_what_was_granted_is_not_taken_back_for_want_of_a_verification(desk: Desk) -> None:
    with transaction(desk.engine) as db:
        settle(db)
    required(desk)
    assert numbers(desk) == ([], {})


def test_a_file_of_results_counts_as_those_by_hand(desk: Desk) -> None:
    required(desk)
    header = ["发票号码", "查验日期", "查验结果", "查验人"]
    rows = [[real("a"), TODAY, "一致", "甲"], [real("b"), TODAY, "不一致", "甲"]]
    assert desk.register([header, *rows]).exit_status == 0
    assert numbers(desk) == ([real("a")], {real("b"): ["not_verified"]})
    assert desk.register([header, [real("a"), TODAY, "差不多", "甲"]]).exit_status == 1


def test_the_last_day_of_asking_has_the_last_word_in_whatever_order_it_is_recorded(desk: Desk) -> None:
    required(desk)
    header = ["发票号码", "查验日期", "查验结果", "查验人"]
    rows = [[real("a"), TODAY, "一致", "甲"], [real("a"), "2026-07-01", "查无此票", "甲"]]
    assert desk.register([header, *rows]).exit_status == 0
    assert numbers(desk)[0] == [real("a")]
    assert desk.register([header, [real("a"), "2026-07-02", "不一致", "甲"]]).exit_status == 0
    assert numbers(desk)[0] == [real("a")]
    say(desk, "a", "differs")
    assert numbers(desk)[0] == []


def test_the_same_word_twice_is_one_and_a_number_never_seen_is_refused(desk: Desk) -> None:
    assert (say(desk, "a", "same"), say(desk, "a", "same"), say(desk, "a", "differs")) == (True, False, True)
    assert desk.rows("SELECT count(*) FROM verification") == [(2,)]
    with pytest.raises(CvlError, match="没有收到过"):
        say(desk, "z", "same")
    ahead = parse_day("2099-01-01")
    with pytest.raises(CvlError, match="晚于今天"):
        run(desk.engine, lambda db: verification.record(db, MAKER, real("a"), "same", ahead, "甲"))
    assert invoices.show(desk.engine, real("a")).data["verification"]["result"] == "differs"

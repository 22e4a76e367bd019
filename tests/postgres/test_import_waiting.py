"""The import of invoice files: red-letters and their blues, missing service spans, claims that come too late."""

from datetime import date

import pytest

from reconciliation import invariants
from tests.postgres.desk import (
    Cells,
    Desk,
    bill_of,
    counts,
    line,
    real,
    said,
    statuses,
)
from tests.postgres.test_evidence_settled import draft, lines_of
from tests.postgres.witness import record_document
from tests.samples.xml import xml
from voucher.database import transaction

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


@pytest.mark.parametrize(
    ("again", "word"),
    [
        ([line("r", "-40.00", red_of="a", gross="-42.41")], "sum_differs"),
        ([line("r", "-40.00", red_of="a")] * 2, "identical_rows"),
        ([line("r", "-40.00", red_of="a"), line("r", "-1.00", red_of="a", gross="9.00")], "sum_differs"),
        ([line("r", "-40.00", red_of="a", buyer="X")], "unknown_company"),
        ([line("r", "-30.00", red_of="a")], "conflict_waiting"),
        ([line("r", "40.00")], "conflict_waiting"),
    ],
    ids=["error", "twice", "sibling", "unknown buyer", "other money", "blue"],
)
def test_a_held_red_letter_follows_its_blue_though_its_own_rows_beside_the_blue_fail(
    desk: Desk, again: list[Cells], word: str
) -> None:
    assert counts(desk.take(xml(bill_of(line("r", "-40.00", red_of="a"))), name="r.xml")) == {"held": 1}
    outcome = desk.take([line("a", "100.00"), *again])
    assert word in [code for _, code in said(outcome)]
    assert outcome.counts["accepted"] == 1
    assert sum(outcome.counts.values()) == 1 + len(again)
    assert desk.accepted() == [(real("a"), 1), (real("r"), 2)]
    assert desk.rows("SELECT net_fen, evidence FROM invoice WHERE kind = 'red'") == [(-4000, "xml")]
    with transaction(desk.engine, "cvl_auditor") as db:
        assert invariants.check_all(db) == []


@pytest.mark.parametrize("net", ["-40.00", "-30.00"])
def test_a_red_letter_in_the_file_of_its_blue_takes_the_place_of_the_one_that_waits(desk: Desk, net: str) -> None:
    assert counts(desk.take([line("r", "-40.00", red_of="a"), line("r", "-1.00", red_of="a")])) == {"held": 2}
    assert counts(desk.take([line("a", "100.00"), line("r", net, red_of="a")])) == {"accepted": 2}
    assert desk.rows("SELECT net_fen FROM invoice_line WHERE net_fen < 0") == [(int(float(net) * 100),)]


def test_a_red_letter_has_the_parties_of_its_blue(desk: Desk) -> None:
    desk.take([line("a", "100.00")])
    outcome = desk.take([line("r", "-1.00", red_of="a", buyer="D"), line("s", "-1.00", red_of="a", seller="Q")])
    assert counts(outcome) == {"rejected": 2}
    assert [row for row in said(outcome) if row[1] == "red_parties_differ"] == [
        (2, "red_parties_differ"),
        (3, "red_parties_differ"),
    ]


def test_a_red_letter_of_a_red_letter_waits_for_nothing(desk: Desk) -> None:
    together = desk.take([line("a"), line("r", "-100.00", red_of="a"), line("s", "-50.00", red_of="r")])
    assert (counts(together), said(together)) == ({"accepted": 2, "rejected": 1}, [(4, "original_is_red")])
    later = desk.take([line("t", "-50.00", red_of="r"), line("u", "-50.00", red_of="u")])
    assert said(later) == [(2, "original_is_red"), (3, "original_is_red")]


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
    assert (held.problems[0].column, held.problems[0].value) == ("服务起始日", "")
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


@pytest.mark.parametrize(("deadline", "day", "taken"), [("06-30", "2027-04-01", True), ("02-28", "2027-03-01", False)])
def test_a_year_of_two_documents_has_the_deadline_of_the_last(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, deadline: str, day: str, taken: bool
) -> None:
    with transaction(desk.engine) as db:
        changes = {"from": date(2026, 7, 1), "claim_deadline": deadline}
        record_document(db, changes, id="later.1", supersedes="cq-2025-12-08.1")
    monkeypatch.setenv("CVL_TODAY", day)
    rows = [line("a", since="2026-03-01", until="2026-03-31"), line("b", since="2026-06-01", until="2026-07-30")]
    over = line("c", "920.00", since="2026-12-01", until="2027-03-02")
    assert statuses(desk.take([*rows, over])) == {
        real("a"): "accepted" if taken else "rejected", real("b"): "accepted" if taken else "rejected",
        real("c"): "accepted",
    }  # fmt: skip
    with transaction(desk.engine) as db:
        found = [(row["invoice_number"], row["cap_year"]) for row in lines_of(db, draft(db))]
    late = [(real("a"), 2026), (real("b"), 2026), (real("c"), 2026)]
    assert found == [*(late if taken else []), (real("c"), 2027)]


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


def test_an_invoice_handed_in_in_time_is_in_time_though_it_was_held_with_a_later_day_before(desk: Desk) -> None:
    spanned = line("a", since="2025-12-26", until="2025-12-31")
    assert counts(desk.take([line("a", since="", until="")], received_on=date(2026, 4, 1))) == {"held": 1}
    assert counts(desk.take([spanned], received_on=date(2026, 3, 31))) == {"accepted": 1}
    assert desk.rows("SELECT received_on FROM invoice") == [(date(2026, 3, 31),)]


def test_a_red_letter_keeps_the_day_on_which_it_came_in_whatever_the_day_of_its_blue(desk: Desk) -> None:
    desk.take([line("r", "-1.00", red_of="a")], received_on=date(2026, 8, 4))
    desk.take([line("a")], received_on=date(2026, 8, 3))
    assert desk.rows("SELECT received_on FROM invoice WHERE kind = 'red'") == [(date(2026, 8, 4),)]


def test_what_was_held_has_not_the_earlier_day_of_another_invoice_of_its_file(desk: Desk) -> None:
    waiting = line("r", "-1.00", red_of="b")
    desk.take([waiting], received_on=date(2026, 8, 3))
    desk.take([waiting, line("s", "-1.00", red_of="a")], received_on=date(2026, 8, 5))
    desk.take([line("a")], received_on=date(2026, 8, 6))
    assert desk.rows("SELECT number, received_on FROM invoice WHERE kind = 'red'") == [(real("s"), date(2026, 8, 5))]

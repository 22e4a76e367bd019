"""What one invoice is worth: its days, and what other subsidies leave."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.facts import Facts, Invoice, InvoiceLine, Listing, Metering, Qualification, Relation, Subsidy
from settlement.holding import Documents, belongs
from settlement.policy import in_force
from settlement.worth import Piece, Registers, after_overlap, cut_days
from tests.cases import histories
from tests.cases.histories import CODES, calm, invoice, policies, red_of, usual
from tests.cases.player import policy
from tests.unit.weighing import MAY, POLICY, bill, why
from voucher.days import Span, year_span
from voucher.reasons import Reason

AnyRow = TypeVar("AnyRow", Qualification, Listing, Relation)
ALWAYS = Span(date(2025, 1, 1), date(2200, 1, 1))


def test_every_day_counts_when_nothing_is_against_it() -> None:
    weighed = bill(usual(), invoice(1, 3100, *MAY))
    assert [(piece.amount_fen, piece.reason) for piece in weighed.pieces] == [(3100, None)]
    assert weighed.reasons(weighed.span) == ()


def test_the_first_reason_that_applies_is_the_one_told() -> None:
    blue = invoice(1, 3100, *MAY, received_on=date(2027, 4, 1))
    first = Span(date(2025, 1, 1), date(2026, 5, 11))
    facts = Facts(
        qualifications=[Qualification(1, "ai_agent", first, (1, 1))],
        listings=[Listing(11, Span(date(2026, 5, 6), date(2200, 1, 1)), (1, 1))],
        relations=[Relation(11, 1, "common_control", 1, Span(date(2026, 5, 1), date(2026, 5, 8)), (1, 1))],
    )
    expected = {"not_qualified": 2100, "not_listed": 500, "related_party": 200, "past_claim_deadline": 300}
    assert why(facts, blue) == expected


def test_days_of_a_gap_between_documents_are_after_the_policy() -> None:
    early = replace(POLICY, span=Span(date(2026, 5, 2), date(2026, 5, 11)))
    late = replace(POLICY, id="late", span=Span(date(2026, 5, 21), date(2026, 5, 31)))
    assert why(usual(), invoice(1, 3100, *MAY), [early, late]) == {"before_policy": 100, "after_policy": 1100}


def test_days_are_cut_by_year_document_and_reason_before_they_have_amounts() -> None:
    early = replace(POLICY, span=Span(date(2026, 12, 2), date(2026, 12, 11)))
    late = replace(POLICY, id="late", span=Span(date(2026, 12, 21), date(2027, 1, 31)))
    listing = Listing(11, Span(date(2026, 12, 5), date(2027, 1, 15)), (1, 1))
    blue = invoice(1, 6200, date(2026, 12, 1), date(2027, 1, 31), received_on=date(2027, 4, 1))
    cuts = cut_days(Registers(replace(usual(), listings=[listing])), in_force([late, early]), blue)
    days = [date(2026, 12, day) for day in (1, 2, 5, 11, 21)] + [date(2027, 1, day) for day in (1, 15, 31)]
    whole = [Span(*pair) for pair in pairwise([*days, date(2027, 2, 1)])]
    assert cuts == [
        Piece(whole[0], 2026, None, "before_policy", 0),
        Piece(whole[1], 2026, early, "not_listed", 0),
        Piece(whole[2], 2026, early, "past_claim_deadline", 0),
        Piece(whole[3], 2026, None, "after_policy", 0),
        Piece(whole[4], 2026, late, "past_claim_deadline", 0),
        Piece(whole[5], 2027, late, None, 0),
        Piece(whole[6], 2027, late, "not_listed", 0),
        Piece(whole[7], 2027, None, "after_policy", 0),
    ]


@pytest.mark.parametrize(
    ("share_bp", "kind", "counts"),
    [(2499, "shareholding", True), (2500, "shareholding", False), (1, "common_control", False)],
)
def test_a_share_counts_from_the_threshold_and_control_always(share_bp: int, kind: str, counts: bool) -> None:
    relation = Relation(11, 1, kind, share_bp, ALWAYS, (1, 1))  # type: ignore[arg-type]
    weighed = bill(replace(usual(), relations=[relation]), invoice(1, 3100, *MAY))
    assert bool(weighed.counted(2026)) is counts


def test_a_relation_is_ended_by_a_row_of_its_own_key_alone() -> None:
    first = Relation(11, 1, "common_control", 0, ALWAYS, (1, 1))
    void = replace(first, span=Span(ALWAYS.start, ALWAYS.start), at=(2, 1))
    kind, company, provider = replace(void, kind="shareholding"), replace(void, company=2), replace(void, provider=12)
    later = replace(void, span=Span(*[date(2026, 6, 1)] * 2))
    facts = replace(usual(), relations=[first, kind, company, provider, later])
    assert why(facts, invoice(1, 3100, *MAY)) == {"related_party": 3100}
    assert why(replace(facts, relations=[first, void]), invoice(1, 3100, *MAY)) == {}


def test_the_newest_row_of_a_key_holds_whatever_the_order_of_reading() -> None:
    old = Qualification(1, "ai_agent", ALWAYS, (1, 9))
    void = Qualification(1, "ai_agent", Span(ALWAYS.start, ALWAYS.start), (2, 1))
    facts = replace(usual(), qualifications=[void, old])
    assert why(facts, invoice(1, 3100, *MAY)) == {"not_qualified": 3100}
    again = replace(old, at=(2, 2))
    assert why(replace(facts, qualifications=[again, void, old]), invoice(1, 3100, *MAY)) == {}


def test_two_qualifications_add_up_and_an_unheard_of_category_does_not_count() -> None:
    spans = [Span(date(2026, 5, 1), date(2026, 5, 11)), Span(date(2026, 5, 6), date(2026, 5, 21))]
    rows = [
        Qualification(1, "ai_agent", spans[0], (1, 1)),
        Qualification(1, "digital_twin", spans[1], (1, 2)),
        Qualification(1, "unheard_of", ALWAYS, (1, 3)),
    ]
    facts = replace(usual(), qualifications=rows)
    assert why(facts, invoice(1, 3100, *MAY)) == {"not_qualified": 1100}


@pytest.mark.parametrize(
    ("received", "years"),
    [(date(2027, 3, 31), [2026, 2027]), (date(2027, 4, 1), [2027]), (date(2028, 4, 1), [])],
)
def test_a_late_year_is_out_and_the_other_stays(received: date, years: list[int]) -> None:
    blue = invoice(1, 6200, date(2026, 12, 1), date(2027, 1, 31), received_on=received)
    weighed = bill(usual(), blue)
    assert [year for year in (2026, 2027) if weighed.counted(year)] == years


def test_a_bill_written_anew_is_no_red_letter_of_the_one_it_names() -> None:
    blue = invoice(1, 3100, *MAY)
    anew = invoice(3, 3100, *MAY, original_number="1")
    facts = replace(usual(), invoices=[blue, red_of(blue, 2, 3100), anew])
    assert [bill(facts, each).basis_fen for each in (blue, anew)] == [0, 3100]


def test_a_red_letter_is_never_late() -> None:
    blue = invoice(1, 3100, *MAY)
    red = replace(red_of(blue, 2, 3000), received_on=date(2029, 1, 1))
    assert bill(replace(usual(), invoices=[blue, red]), blue).basis_fen == 100


def compare(mode: str, computed: int, other: int, granted: int | None, basis: int = 1000) -> tuple[int, str]:
    """Return worth and state of a claim of one whole invoice with another subsidy."""
    changes = {"overlap": mode} | ({"joint_limit_bp": 5000} if mode == "joint_limit" else {})
    blue = invoice(1, basis, *MAY)
    rows = [Subsidy("1", "甲", other, False, (1, 1)), Subsidy("1", "乙", 10**6, True, (1, 2))]
    weighed = bill(replace(usual(), subsidies=rows), blue, [policy(changes)])
    worth, share, state = after_overlap(weighed, 2026, basis, computed, granted)
    assert share == other
    return worth, state


@pytest.mark.parametrize(
    ("mode", "other", "granted", "expected"),
    [
        ("exclusive", 0, None, (200, "")),
        ("exclusive", 1, None, (200, "other_subsidy_undecided")),
        ("exclusive", 199, None, (200, "other_subsidy_undecided")),
        ("exclusive", 200, None, (0, "")),
        ("exclusive", 201, 200, (0, "")),
        ("exclusive", 199, 200, (200, "overlap_open")),
        ("exclusive", 199, 50, (50, "overlap_open")),
        ("exclusive", 199, 500, (200, "overlap_open")),
        ("top_up", 0, None, (200, "")),
        ("top_up", 150, None, (50, "")),
        ("top_up", 201, 200, (0, "")),
        ("joint_limit", 300, None, (200, "")),
        ("joint_limit", 301, None, (199, "")),
        ("joint_limit", 501, 200, (0, "")),
    ],
)
def test_overlap(mode: str, other: int, granted: int | None, expected: tuple[int, str]) -> None:
    assert compare(mode, 200, other, granted) == expected


def test_half_a_fen_of_a_joint_limit_is_left_out() -> None:
    assert compare("joint_limit", 200, 301, None, basis=1001) == (199, "")


def test_a_joint_limit_of_nothing_leaves_nothing() -> None:
    weighed = bill(usual(), invoice(1, 10_000, *MAY), [policy({"overlap": "joint_limit", "joint_limit_bp": 0})])
    assert after_overlap(weighed, 2026, 10_000, 2_000, None) == (0, 0, "")


def test_the_other_subsidy_is_shared_over_the_days_that_count() -> None:
    blue = invoice(1, 6200, date(2026, 12, 1), date(2027, 1, 31))
    facts = replace(usual(), subsidies=[Subsidy("1", "甲", 620, False, (1, 1))])
    weighed = bill(facts, blue)
    assert [after_overlap(weighed, year, 3100, 620, None)[1] for year in (2026, 2027)] == [310, 310]


def test_what_is_cut_and_what_others_gave_follow_the_usage_and_not_the_days() -> None:
    lines = [InvoiceLine(1, histories.CODES[0], 8_000), InvoiceLine(2, "109", 400)]
    blue = invoice(1, 8_400, date(2026, 12, 1), date(2027, 1, 31), lines=lines, paid_fen=6_300)
    old, new = date(2026, 12, 31), date(2027, 1, 1)
    rows = [[(old, Decimal(50))], [(old, Decimal(25)), (new, Decimal(25))]]
    facts = replace(
        usual(),
        subsidies=[Subsidy("1", "甲", 40, False, (1, 1))],
        meterings=[Metering("1", False, False, Decimal(50), days, (1, place)) for place, days in enumerate(rows)],
    )
    weighed = bill(facts, blue)
    assert [(piece.cap_year, piece.amount_fen) for piece in weighed.pieces] == [(2026, 4_500), (2027, 1_500)]
    assert weighed.reasons(year_span(2026)) == (Reason("tax_code_not_eligible", 300), Reason("unpaid", 1_500))
    assert [after_overlap(weighed, year, 6_000, 1_200, None)[1] for year in (2026, 2027)] == [30, 10]


def test_the_least_usage_on_the_last_day_alone_takes_the_whole_bill_there() -> None:
    days = [(date(2027, 1, 31), Decimal("0.000000000001"))]
    facts = replace(usual(), meterings=[Metering("1", False, False, Decimal(62), days, (1, 1))])
    weighed = bill(facts, invoice(1, 6_200, date(2026, 12, 1), date(2027, 1, 31)))
    assert [piece.amount_fen for piece in weighed.pieces] == [0, 6_200]


def reason_of(day: date, facts: Facts, documents: Documents, blue: Invoice) -> str | None:
    """Say of a single day why it does not count: the same rules, day by day and row by row."""
    covering = [document for document, span in documents if day in span]
    if not covering:
        return "before_policy" if day < documents[0][1].start else "after_policy"
    document = covering[0]
    found = {
        "not_qualified": not any(
            day in row.span
            for row in newest(facts.qualifications)
            if row.company == blue.company and row.category in document.categories
        ),
        "not_listed": not any(day in row.span for row in newest(facts.listings) if row.provider == blue.provider),
        "related_party": any(
            day in row.span and (row.kind == "common_control" or row.share_bp >= document.related_party_share_bp)
            for row in newest(facts.relations)
            if (row.provider, row.company) == (blue.provider, blue.company)
        ),
        "past_claim_deadline": blue.received_on > document.deadline(day.year),
    }
    return next((code for code, applies in found.items() if applies), None)


def newest(rows: Sequence[AnyRow]) -> list[AnyRow]:
    """Return the rows for which none of the same key was written later."""

    def key(row: AnyRow) -> list[object]:
        names = ("company", "category", "provider", "kind")
        return [getattr(row, name, None) for name in names] + [row.span.start]

    return [row for row in rows if not any(key(x) == key(row) and x.at > row.at for x in rows)]


@calm
@given(st.data())
def test_pieces_agree_with_a_look_at_every_single_day(data: st.DataObject) -> None:
    facts = data.draw(histories.registers(2))
    blue = data.draw(histories.blue(1))
    assert blue.span is not None
    documents = [entry for entry in in_force(policies()) if entry[0].programme == POLICY.programme]
    by_day = {
        piece.span.start + timedelta(days=i): piece.reason
        for piece in bill(facts, blue, policies()).pieces
        for i in range(piece.span.days)
    }
    days = [blue.span.start + timedelta(days=i) for i in range(blue.span.days)]
    assert by_day == {day: reason_of(day, facts, documents, blue) for day in days}


@calm
@given(st.data())
def test_pieces_fill_the_span_and_add_up_to_the_basis(data: st.DataObject) -> None:
    facts = data.draw(histories.news(1, usual()))
    for blue in facts.invoices:
        if blue.kind == "blue" and blue.span is not None:
            weighed = bill(facts, blue, policies())
            assert sum(piece.amount_fen for piece in weighed.pieces) == weighed.basis_fen
            assert sum(piece.span.days for piece in weighed.pieces) == blue.span.days
            assert min(piece.amount_fen for piece in weighed.pieces) >= 0
            assert weighed.basis_fen <= weighed.eligible_net_fen


def test_a_line_stays_with_its_programme_as_long_as_any_document_of_that_is_in_force() -> None:
    first, amended, other = policies()
    amended = replace(amended, eligible_tax_codes=("3040201",))
    other = replace(other, eligible_tax_codes=("30402030",), span=Span(date(2026, 8, 1), date(2027, 1, 1)))
    documents = in_force([first, amended, other])
    june, september = date(2026, 6, 1), date(2026, 9, 1)
    assert belongs(CODES[0], first, documents, june, june)
    assert not belongs(CODES[0], other, documents, june, september)
    assert belongs(CODES[0], other, documents, september, september)

"""What the queries draft is what the plain engine computes on the same ledger, line by line to the fen."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from settlement import documents
from settlement.claims import compute
from settlement.facts import (
    Facts,
    Invoice,
    InvoiceLine,
    Listing,
    Metering,
    Payment,
    Qualification,
    Refusal,
    Relation,
    Subsidy,
)
from tests.cases.histories import invoice, joined, red_of, usual
from tests.postgres import recorder
from tests.postgres.recorder import record
from tests.postgres.witness import END, PROGRAMME, SHIPPED, draft, lines_of, record_document, settle
from voucher import acts
from voucher.database import transaction
from voucher.days import OPEN_END, Span

MAY = date(2026, 5, 1), date(2026, 5, 31)
REGISTERED = date(2025, 1, 1)
CAP = 100_000_000
GPU, HARDWARE = "3040203000000000000", "1090511010000000000"
Told = list[tuple[Any, ...]]


class Ledger:
    """A ledger that facts come into step by step, each in a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.facts = Facts()
        self.acts = 0
        with transaction(engine) as db:
            recorder.appropriate(db, 2026, 10**11)
        self.add(usual())

    def add(self, news: Facts) -> None:
        """Record further facts."""
        before, self.acts, self.facts = self.facts, self.acts + 1, joined(self.facts, news)
        with transaction(self.engine) as db:
            record(db, f"步骤{self.acts}", self.facts, before)

    def invoices(self, *invoices: Invoice) -> None:
        """Record invoices."""
        self.add(Facts(invoices=invoices))

    def subsidy(self, invoice_id: int, fen: int, *, waived: bool = False) -> None:
        """Record another subsidy of an invoice."""
        self.add(Facts(subsidies=[Subsidy(str(invoice_id), "市级", fen, waived, (0, 0))]))

    def lines(self, through: date = END, *, backfill: bool = False) -> Told:
        """Draft; return number, year, kind, granted and withheld of each line."""
        with transaction(self.engine) as db:
            return told(lines_of(db, draft(db, through, backfill=backfill)))

    def reasons(self) -> dict[int, dict[str, int]]:
        """Draft; return the reasons of each line by number: code to amount."""
        with transaction(self.engine) as db:
            return {
                numbered(row): {each["code"]: each["amount_fen"] for each in row["reasons"]}
                for row in lines_of(db, draft(db))
            }

    def held(self) -> Told:
        """Draft; return number, year, kind and last reason of what is held."""
        with transaction(self.engine) as db:
            rows = draft(db).held
            return [(numbered(x), x["cap_year"], x["kind"], x["reasons"][-1]["code"]) for x in rows]

    def listed(self) -> Told:
        """Draft; return the backfill that is listed."""
        with transaction(self.engine) as db:
            return told(draft(db).backfill)

    def settle(self, through: date = END, *, backfill: bool = False) -> None:
        """Draft, submit and approve."""
        with transaction(self.engine) as db:
            settle(db, through, backfill=backfill)

    def document(self, changes: Mapping[str, object], **header: str) -> None:
        """Record a policy document."""
        with transaction(self.engine) as db:
            record_document(db, changes, **header)

    def voucher(self, state: str) -> None:
        """Move the first voucher to another state."""
        with transaction(self.engine) as db:
            voucher = db.execute(text("SELECT min(voucher_id) FROM voucher")).scalar_one()
            recorder.move_voucher(db, voucher, state)

    def looked_at(self, after: Facts | None = None) -> set[str]:
        """Return the companies that a draft would look at now, or after further facts that are rolled back."""
        asked = text("SELECT p.uscc FROM touched AS t INNER JOIN party AS p ON p.party_id = t.company_id")
        with transaction(self.engine) as db, db.begin_nested() as back:
            if after is not None:
                record(db, "试", joined(self.facts, after), self.facts)
            cutoff = acts.cutoff(db)
            compute(db, documents.recorded(db, cutoff), PROGRAMME, cutoff, END, news_only=True)
            found = set(db.execute(asked).scalars())
            back.rollback()
        return found


def numbered(row: Mapping[str, Any]) -> int:
    return int(row["invoice_number"][-6:])


def told(rows: Sequence[Mapping[str, Any]]) -> Told:
    return [(numbered(x), x["cap_year"], x["kind"], x["granted_fen"], x["withheld_fen"]) for x in rows]


@pytest.fixture
def ledger(db_engine: Engine) -> Ledger:
    return Ledger(db_engine)


def test_nothing_to_settle_leaves_no_run(ledger: Ledger) -> None:
    with transaction(ledger.engine) as db:
        assert draft(db).run is None
        assert db.execute(text("SELECT count(*) FROM open_run")).scalar() == 0


def test_days_are_cut_at_the_start_of_the_policy_and_at_new_year(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 62_000_000, date(2025, 12, 1), date(2026, 1, 31)))
    assert ledger.lines() == [(1, 2025, "grant", 1_400_000, 0), (1, 2026, "grant", 6_200_000, 0)]
    ledger.invoices(invoice(2, 120_000_000, date(2025, 6, 1), date(2026, 5, 31)))
    assert [line[3] for line in ledger.lines()] == [1_400_000, 460_274, 6_200_000, 9_928_767]


def test_days_after_the_policy_do_not_count(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 31_000_000, date(2027, 12, 16), date(2028, 1, 15)))
    assert ledger.lines() == [(1, 2027, "grant", 3_200_000, 0)]
    ledger.invoices(invoice(2, 31_000_000, date(2028, 1, 1), date(2028, 1, 31)))
    assert len(ledger.lines()) == 1


def test_a_year_is_taken_once_its_last_day_is_through(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 62_000_000, date(2026, 12, 1), date(2027, 1, 31)))
    assert ledger.lines(date(2026, 11, 30)) == []
    assert ledger.lines(date(2026, 12, 31)) == [(1, 2026, "grant", 6_200_000, 0)]
    ledger.settle(date(2026, 12, 31))
    assert ledger.lines() == [(1, 2027, "grant", 6_200_000, 0)]


@pytest.mark.parametrize("over", [-5, 0, 5])
def test_the_cap_holds_at_just_under_and_just_over(ledger: Ledger, over: int) -> None:
    ledger.invoices(invoice(1, 5 * CAP + over, *MAY))
    assert ledger.lines() == [(1, 2026, "grant", min(CAP, CAP + over // 5), max(0, over // 5))]


def test_room_goes_by_acceptance_whatever_the_provider_and_the_run(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 485_000_000, *MAY))
    ledger.settle()
    ledger.invoices(invoice(2, 10_000_000, *MAY), invoice(3, 10_000_000, *MAY, provider=12))
    assert ledger.lines() == [(2, 2026, "grant", 2_000_000, 0), (3, 2026, "grant", 1_000_000, 1_000_000)]
    ledger.settle()
    ledger.invoices(invoice(4, 10_000_000, *MAY, company=2))
    assert ledger.lines() == [(4, 2026, "grant", 2_000_000, 0)]


def test_a_red_letter_before_the_settlement_is_in_the_basis(ledger: Ledger) -> None:
    blue = invoice(1, 10_000_000, *MAY)
    ledger.invoices(blue, red_of(blue, 2, 3_700_001))
    assert ledger.lines() == [(1, 2026, "grant", 1_259_999, 0)]
    ledger.invoices(red_of(blue, 3, 6_299_999))
    assert ledger.lines() == [(1, 2026, "grant", 0, 0)]


def test_a_red_letter_after_the_settlement_is_due_and_frees_room(ledger: Ledger) -> None:
    blue = invoice(2, 10_000_000, *MAY)
    ledger.invoices(invoice(1, 489_000_000, *MAY), blue, invoice(3, 5_000_000, *MAY))
    ledger.settle()
    ledger.invoices(red_of(blue, 4, 10_000_000))
    assert ledger.lines() == [(2, 2026, "recovery", -2_000_000, 0)]
    assert ledger.listed() == [(3, 2026, "backfill", 800_000, 0)]
    both = [(2, 2026, "recovery", -2_000_000, 0), (3, 2026, "backfill", 800_000, 0)]
    assert ledger.lines(backfill=True) == both
    ledger.invoices(invoice(5, 10_000_000, *MAY))
    assert ledger.lines()[1:] == [(5, 2026, "grant", 1_200_000, 800_000)]


def test_lines_count_by_their_tax_codes(ledger: Ledger) -> None:
    mixed = [InvoiceLine(1, GPU, 70_000), InvoiceLine(2, HARDWARE, 20_000), InvoiceLine(3, "999", 10_000)]
    less = [InvoiceLine(1, GPU, 110_000), InvoiceLine(2, HARDWARE, -10_000)]
    ledger.invoices(invoice(1, 100_000, *MAY, lines=mixed), invoice(2, 100_000, *MAY, lines=less))
    assert ledger.lines() == [(1, 2026, "grant", 14_000, 0), (2, 2026, "grant", 20_000, 0)]
    assert ledger.reasons() == {1: {"tax_code_not_eligible": 30_000}, 2: {}}


def test_a_longer_prefix_of_another_programme_takes_a_line_away(ledger: Ledger) -> None:
    codes = ["3040203900000000000", GPU]
    lines = [InvoiceLine(place, code, 50_000) for place, code in enumerate(codes, 1)]
    ledger.invoices(invoice(1, 100_000, *MAY, lines=lines))
    assert ledger.lines() == [(1, 2026, "grant", 20_000, 0)]
    changes = {"from": date(2026, 5, 1), "eligible_tax_codes": ["30402039"]}
    ledger.document(changes, id="other.1", programme="other")
    assert ledger.lines() == [(1, 2026, "grant", 10_000, 0)]


def test_what_is_not_paid_does_not_count_until_it_is(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 1_000_000, *MAY, tax_fen=60_000, gross_fen=1_060_000, paid_fen=530_000))
    assert ledger.lines() == [(1, 2026, "grant", 100_000, 0)]
    assert ledger.reasons() == {1: {"unpaid": 500_000}}
    ledger.settle()
    ledger.add(Facts(payments=[Payment("1", MAY[1], "流水1", 530_000, (0, 0))]))
    assert ledger.listed() == [(1, 2026, "backfill", 100_000, 0)]
    assert ledger.lines() == []
    ledger.settle(backfill=True)
    assert ledger.listed() == []
    ledger.add(Facts(payments=[Payment("1", MAY[1], "流水1", 0, (0, 0))]))
    assert ledger.lines() == [(1, 2026, "recovery", -100_000, 0)]


def test_days_of_a_delisted_provider_and_of_a_lost_qualification_are_out(ledger: Ledger) -> None:
    ledger.add(Facts(listings=[Listing(11, Span(REGISTERED, date(2026, 5, 10)), (0, 0))]))
    ledger.invoices(invoice(1, 31_000_000, *MAY))
    assert ledger.lines() == [(1, 2026, "grant", 1_800_000, 0)]
    assert ledger.reasons() == {1: {"not_listed": 22_000_000}}
    lost = Qualification(1, "ai_agent", Span(REGISTERED, date(2026, 5, 4)), (0, 0))
    again = Qualification(1, "digital_twin", Span(date(2026, 5, 8), OPEN_END), (0, 1))
    ledger.add(Facts(qualifications=[lost, again]))
    assert ledger.reasons() == {1: {"not_qualified": 4_000_000, "not_listed": 22_000_000}}
    void = Qualification(1, "digital_twin", Span(date(2026, 5, 8), date(2026, 5, 8)), (0, 0))
    ledger.add(Facts(qualifications=[void]))
    assert ledger.reasons() == {1: {"not_qualified": 28_000_000}}
    ledger.add(Facts(qualifications=[replace(void, category="unheard_of", span=Span(REGISTERED, OPEN_END))]))
    assert ledger.lines() == [(1, 2026, "grant", 600_000, 0)]


@pytest.mark.parametrize(
    ("kind", "share", "out"),
    [("shareholding", 2499, 0), ("shareholding", 2500, 61), ("common_control", 1, 61)],
)
def test_days_between_related_parties_are_out(ledger: Ledger, kind: Any, share: int, out: int) -> None:
    ledger.add(Facts(relations=[Relation(11, 1, kind, share, Span(date(2026, 4, 1), OPEN_END), (0, 0))]))
    ledger.invoices(invoice(1, 92_000_000, date(2026, 3, 1), date(2026, 5, 31)))
    assert ledger.lines() == [(1, 2026, "grant", 200_000 * (92 - out), 0)]


def test_a_lower_subsidy_holds_a_claim_until_it_is_given_up(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 100_000_000, *MAY), invoice(2, 100_000_000, *MAY))
    ledger.subsidy(1, 10_000_000)
    ledger.subsidy(2, 20_000_000)
    assert ledger.held() == [(1, 2026, "grant", "other_subsidy_undecided")]
    assert ledger.lines() == [(2, 2026, "grant", 0, 0)]
    ledger.subsidy(1, 10_000_000, waived=True)
    assert ledger.held() == []
    assert ledger.lines()[0] == (1, 2026, "grant", 20_000_000, 0)


def test_a_subsidy_found_after_the_grant_is_open_or_due(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 100_000_000, *MAY))
    ledger.settle()
    ledger.subsidy(1, 10_000_000)
    assert ledger.held() == [(1, 2026, "grant", "overlap_open")]
    assert ledger.lines() == []
    ledger.subsidy(1, 20_000_000)
    assert ledger.held() == []
    assert ledger.lines() == [(1, 2026, "recovery", -20_000_000, 0)]


@pytest.mark.parametrize(
    ("changes", "granted"),
    [({"overlap": "top_up"}, 10_000_000), ({"overlap": "joint_limit", "joint_limit_bp": 1500}, 5_000_000)],
)
def test_other_modes_of_overlap(ledger: Ledger, changes: dict[str, object], granted: int) -> None:
    ledger.document(changes, id="mode.1", supersedes=SHIPPED)
    ledger.invoices(invoice(1, 100_000_000, *MAY), invoice(2, 100_000_000, *MAY))
    ledger.subsidy(1, 10_000_000)
    alone = 15_000_000 if "joint_limit_bp" in changes else 20_000_000
    assert ledger.lines() == [(1, 2026, "grant", granted, 0), (2, 2026, "grant", alone, 0)]


def test_a_claim_refused_before_its_first_run_is_given_nothing(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 1_000, *MAY), invoice(2, 2_000, *MAY))
    ledger.add(Facts(refusals=[Refusal("1", 2026, True, (1, 1))]))
    assert ledger.lines() == [(1, 2026, "grant", 0, 0), (2, 2026, "grant", 400, 0)]
    assert ledger.reasons() == {1: {"refused": 200}, 2: {}}


def test_usage_above_the_invoice_holds_a_claim_where_that_is_asked_for(ledger: Ledger) -> None:
    ledger.document({"usage_sum": "hold", "usage_sum_tolerance_fen": 5}, id="usage.1", supersedes=SHIPPED)
    ledger.invoices(invoice(1, 1_000, *MAY), invoice(2, 2_000, *MAY))
    rows = [Metering(str(n), False, False, Decimal(yuan), [], (1, n)) for n, yuan in ((1, "10.05"), (2, "20.06"))]
    ledger.add(Facts(meterings=rows))
    assert ledger.lines() == [(1, 2026, "grant", 200, 0)]
    assert ledger.held() == [(2, 2026, "grant", "usage_sum_differs")]


def test_a_year_handed_in_late_is_out(ledger: Ledger) -> None:
    december = date(2026, 12, 1), date(2026, 12, 31)
    ledger.invoices(
        invoice(1, 31_000, *december, received_on=date(2027, 3, 31)),
        invoice(2, 31_000, *december, received_on=date(2027, 4, 1)),
        invoice(3, 62_000, december[0], date(2027, 1, 31), received_on=date(2027, 4, 1)),
    )
    assert ledger.lines() == [(1, 2026, "grant", 6_200, 0), (3, 2027, "grant", 6_200, 0)]


def test_an_amended_policy_counts_from_its_first_day(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 61_000_000, date(2026, 6, 1), date(2026, 7, 31)))
    changes: dict[str, object] = {"from": date(2026, 7, 1), "rate_bp": 2500, "annual_cap_fen": 10_000_000}
    ledger.document(changes, id="amended.1", supersedes=SHIPPED)
    with transaction(ledger.engine) as db:
        line = lines_of(db, draft(db))[0]
        assert (line["computed_fen"], line["granted_fen"]) == (6_000_000 + 7_750_000, 10_000_000)
        assert line["policy_ids"] == ["amended.1", SHIPPED]


def test_a_lower_cap_never_takes_back_what_was_granted(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 100_000_000, *MAY))
    ledger.settle()
    ledger.document({"annual_cap_fen": 15_000_000}, id="lower.1", supersedes=SHIPPED)
    ledger.invoices(invoice(2, 10_000_000, *MAY))
    assert ledger.lines() == [(2, 2026, "grant", 0, 2_000_000)]
    ledger.document({"annual_cap_fen": 21_000_000}, id="higher.1", supersedes="lower.1")
    ledger.settle()
    ledger.document({"annual_cap_fen": 30_000_000}, id="higher.2", supersedes="higher.1")
    assert ledger.listed() == [(2, 2026, "backfill", 1_000_000, 0)]


def test_a_year_that_is_no_longer_covered_is_recovered(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 62_000_000, date(2026, 12, 1), date(2027, 1, 31)))
    ledger.settle()
    ends = {"from": date(2026, 7, 1), "until": date(2026, 12, 31)}
    ledger.document(ends, id="short.1", supersedes=SHIPPED)
    assert ledger.lines() == [(1, 2027, "recovery", -6_200_000, 0)]
    assert ledger.reasons() == {1: {"after_policy": 31_000_000, "over_granted": 6_200_000}}


def test_a_frozen_voucher_holds_claims_and_a_revoked_one_grants_nothing(ledger: Ledger) -> None:
    paid = invoice(1, 1_000_000, *MAY, paid_fen=500_000)
    other = invoice(2, 1_000_000, *MAY)
    ledger.invoices(paid, other)
    ledger.settle()
    ledger.voucher("frozen")
    ledger.add(Facts(payments=[Payment("1", MAY[1], "流水1", 500_000, (0, 0))]))
    ledger.invoices(invoice(3, 1_000_000, *MAY), red_of(other, 4, 500_000))
    assert ledger.held() == [(1, 2026, "backfill", "frozen"), (3, 2026, "grant", "frozen")]
    assert ledger.lines(backfill=True) == [(2, 2026, "recovery", -100_000, 0)]
    ledger.voucher("revoked")
    assert ledger.held() == []
    lines = [(2, 2026, "recovery", -100_000, 0), (3, 2026, "grant", 0, 200_000)]
    assert ledger.lines(backfill=True) == lines


def test_a_voucher_issued_by_hand_keeps_its_face(ledger: Ledger) -> None:
    with transaction(ledger.engine) as db:
        recorder.issue(db, PROGRAMME, 1, 2026, 150_000)
    ledger.invoices(*(invoice(n, 500_000, *MAY, company=company) for n, company in enumerate((1, 1, 2), 1)))
    lines = [(1, 2026, "grant", 100_000, 0), (2, 2026, "grant", 50_000, 50_000)]
    assert ledger.lines() == [*lines, (3, 2026, "grant", 100_000, 0)]
    ledger.settle()
    ledger.invoices(invoice(4, 500_000, *MAY))
    assert ledger.lines() == [(4, 2026, "grant", 0, 100_000)]


def test_a_face_set_by_hand_grants_nothing_above_a_cap_amended_since(ledger: Ledger) -> None:
    with transaction(ledger.engine) as db:
        recorder.issue(db, PROGRAMME, 1, 2026, 150_000)
    ledger.document({"annual_cap_fen": 120_000}, id="lower.1", supersedes=SHIPPED)
    first, second = invoice(1, 500_000, *MAY), invoice(2, 500_000, *MAY)
    ledger.invoices(first, second)
    assert ledger.lines() == [(1, 2026, "grant", 100_000, 0), (2, 2026, "grant", 20_000, 80_000)]
    ledger.settle()
    ledger.document({"annual_cap_fen": 90_000}, id="lower.2", supersedes="lower.1")
    ledger.invoices(red_of(first, 3, 200_000))
    assert (ledger.lines(), ledger.listed()) == (
        [(1, 2026, "recovery", -40_000, 0)],
        [(2, 2026, "backfill", 10_000, 70_000)],
    )
    ledger.document({"annual_cap_fen": 900_000}, id="higher.1", supersedes="lower.2")
    assert ledger.listed() == [(2, 2026, "backfill", 70_000, 10_000)]
